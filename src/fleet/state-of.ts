import { hasCode } from "../core/errors.ts";
import { redactText } from "../core/redact.ts";
import type { UpstreamTarget } from "../upstreams/upstream.ts";
import { iso } from "./errors.ts";
import type { ServerState, ServerStatus } from "./fleet.ts";
import type { Offer } from "./offer.ts";
import type { FleetServer } from "./server.ts";

const MAX_DESCRIPTION_CHARS = 300;
const MAX_TARGET_CHARS = 300;

/** How a server is doing, for people and programs. */
export function stateOf(server: FleetServer, isReading: boolean): ServerState {
  const { definition, health, hide, offer } = server;
  const { name, origin, where, target, expose, secrets } = definition;
  // As they were written, at most: looking for all their forms takes longer than all the rest.
  const shown = (text: string) => (secrets.some((secret) => text.includes(secret)) ? hide(text) : text);
  const open = server.links.open;
  const status = statusOf(server, open.length > 0, isReading);
  const isDown = status === "down" || status === "login";
  const problem = definition.problem ?? (isDown ? health.outage?.message : undefined);
  const about = open[0]?.upstream?.about ?? offer?.about;
  return {
    name,
    origin,
    where,
    status,
    ...(problem === undefined ? {} : { problem: hide(problem) }),
    ...(status === "down" ? { retryAt: iso(health.retryAt) } : {}),
    description: shown(describe(definition.description, offer)),
    target: target ? shown(shownTarget(target)) : "",
    transport: about?.transport ?? target?.transport ?? "stdio",
    ...(about ? { era: about.era, version: about.version, info: about.info } : {}),
    ...(about?.instructions === undefined ? {} : { instructions: shown(about.instructions) }),
    ...(expose === undefined ? {} : { expose }),
    counts: {
      tools: offer?.shelves.tool.keys.length ?? 0,
      prompts: offer?.shelves.prompt.keys.length ?? 0,
      resources: offer?.shelves.resource.keys.length ?? 0,
      templates: offer?.shelves.template.keys.length ?? 0,
    },
    quarantined: offer?.quarantined ?? [],
    pids: open.flatMap(({ upstream }) => upstream?.about.pid ?? []),
    restarts: health.restarts,
    ...(offer ? { listedAt: iso(offer.listedAt) } : {}),
  };
}

function statusOf(server: FleetServer, isOpen: boolean, isReading: boolean): ServerStatus {
  const { definition, health, offer } = server;
  if (!definition.isEnabled) return "disabled";
  if (!server.isUsable) return "invalid";
  if (isOpen && offer) return "ready";
  if (health.outage) return hasCode(health.outage, "UPSTREAM_LOGIN") ? "login" : "down";
  if (offer) return "idle";
  return isReading || [...server.links.all].some(({ isOpening }) => isOpening) ? "starting" : "unknown";
}

/** One line: the operator's words, else the server's, else what its tools are called. */
function describe(own: string | undefined, offer: Offer | undefined): string {
  const { info = {}, instructions } = offer?.about ?? {};
  for (const text of [own, instructions, info["description"], info["title"]]) {
    if (typeof text === "string" && text.trim() !== "") return oneLine(text, MAX_DESCRIPTION_CHARS);
  }
  const tools = offer?.shelves.tool.keys ?? [];
  if (tools.length === 0) return "";
  return oneLine(
    `${tools.length} ${tools.length === 1 ? "tool" : "tools"}: ${tools.slice(0, 40).join(", ")}`,
    MAX_DESCRIPTION_CHARS,
  );
}

function shownTarget(target: UpstreamTarget): string {
  if (target.transport === "stdio")
    return oneLine(redactText([target.command, ...target.args].join(" ")), MAX_TARGET_CHARS);
  try {
    const { protocol, host, pathname, search } = new URL(target.url);
    return oneLine(redactText(`${protocol}//${host}${pathname}${search === "" ? "" : "?..."}`), MAX_TARGET_CHARS);
  } catch {
    return "";
  }
}

function oneLine(text: string, chars: number): string {
  const line = text
    .slice(0, chars * 4)
    .replace(/\s+/g, " ")
    .trim();
  return line.length <= chars ? line : `${line.slice(0, chars - 3)}...`;
}
