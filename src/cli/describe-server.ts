import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { namesSecret, redactText } from "../core/redact.ts";
import type { ServerState } from "../fleet/fleet.ts";
import { oneLine } from "./print.ts";

/** `12 tools, 1 prompt`; `nothing yet` for a server of which nothing is known. */
export function countsOf({ counts, status }: ServerState): string {
  const shown = Object.entries({
    tool: counts.tools,
    prompt: counts.prompts,
    resource: counts.resources,
    template: counts.templates,
  }) // prettier-ignore
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what}${count === 1 ? "" : "s"}`);
  if (shown.length > 0) return shown.join(", ");
  return status === "ready" || status === "idle" ? "no tools" : "nothing known yet";
}

/** One sentence: what was found. */
export function foundIn(state: ServerState): string {
  const { name, version = "" } = (state.info ?? {}) as { name?: Json; version?: Json };
  const who = typeof name === "string" ? `, ${oneLine(name)} ${typeof version === "string" ? oneLine(version) : ""}`.trimEnd() : ""; // prettier-ignore
  const set = state.quarantined.length > 0 ? `; ${state.quarantined.length} more cannot be used` : "";
  return `${countsOf(state)} (${state.transport}${state.version === undefined ? "" : `, MCP ${state.version}`}${who})${set}`;
}

/**
 * A definition as somebody wrote it, without what lets others in: values of `env` and `headers`, unless they only name
 * a variable; what follows a flag such as `--token`; credentials inside of texts.
 */
export function withoutSecrets(definition: Json): Json {
  if (!isJsonObject(definition)) return definition;
  return Object.fromEntries(
    Object.entries(definition).map(([key, value]) => {
      if ((key === "env" || key === "headers") && isJsonObject(value)) return [key, maskedValues(value)];
      if (key === "args" && Array.isArray(value)) return [key, maskedArguments(value)];
      if (key === "url" && typeof value === "string") return [key, maskedUrl(value)];
      if (namesSecret(key)) return [key, "***"];
      return [key, typeof value === "string" ? redactText(value) : value];
    }),
  );
}

function maskedValues(values: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, isReference(value) ? value : "***"]));
}

function maskedArguments(args: readonly Json[]): Json[] {
  return args.map((arg, index) => {
    if (typeof arg !== "string" || isReference(arg)) return arg;
    const [, name = "", equals] = /^--?([\w-]+)(=?)/.exec(arg) ?? [];
    if (equals && namesSecret(name)) return `${arg.slice(0, arg.indexOf("=") + 1)}***`;
    const before = args[index - 1];
    const isValue =
      !arg.startsWith("-") && typeof before === "string" && /^--?[\w-]+$/.test(before) && namesSecret(before);
    return isValue ? "***" : redactText(arg);
  });
}

function maskedUrl(url: string): string {
  return redactText(url)
    .replace(/^(\w+:\/\/)[^/@]*@/, "$1***@")
    .replace(/([?&][^=&]*)=([^&#]*)/g, (whole, name: string, value: string) => (isReference(value) || !namesSecret(name) ? whole : `${name}=***`)); // prettier-ignore
}

/** `${TOKEN}`, `Bearer ${TOKEN}`: says where a secret is, not what. A default would say it. */
function isReference(value: Json | undefined): boolean {
  return typeof value === "string" && /^(\w+ )?\$\{[\w:./~-]+\}$/.test(value) && !value.includes(":-");
}
