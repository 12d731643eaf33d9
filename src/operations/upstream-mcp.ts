import { DynamicMcpError } from "../core/errors.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { structured } from "../core/results.ts";
import type * as Zod from "../core/zod.ts";
import { operation } from "./operation.ts";
import { someOf } from "./one-line.ts";
import type { AttachRequest } from "./operations.ts";

/** Names are those of the older system; `name` and `type` are what everybody else calls `alias` and `transport`. */
const CHANGES_SERVERS = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true };
const TOLD_NAMES = 100;

const alias = (z: typeof Zod) =>
  z
    .string()
    .regex(
      /^[a-zA-Z][a-zA-Z0-9._:-]{2,63}$/,
      "must be a letter and 2 to 63 letters, digits, dots, colons, underscores or hyphens",
    )
    .describe("Name of the server; its tools are listed as <alias>__<tool>");

const texts = (z: typeof Zod, description: string) =>
  z
    .custom<Record<string, string>>(isTexts, "must be an object of texts")
    .meta({ type: "object", additionalProperties: { type: "string" }, description })
    .exactOptional();

function isTexts(value: unknown): boolean {
  return isJsonObject(value) && Object.values(value).every((each) => typeof each === "string");
}

export const upstreamAttach = operation({
  name: "upstream.mcp.attach",
  toolset: "attaching",
  title: "Attach an MCP server",
  description:
    'Connects another MCP server until this one stops; its tools can be called at once. `command` for one on this machine, `url` for one that is reached over HTTP. Example: {"alias":"files","command":"npx","args":["-y","@modelcontextprotocol/server-filesystem","/srv"]}',
  permission: "operate",
  annotations: CHANGES_SERVERS,
  accept: (args) => renamed(renamed(args, "name", "alias"), "type", "transport"),
  input: (z) =>
    z.strictObject({
      alias: alias(z),
      transport: z
        .enum(["stdio", "http", "sse"])
        .exactOptional()
        .describe("Default: stdio with command, http with url"),
      command: z.string().min(1).max(512).exactOptional(),
      args: z.array(z.string().max(2_000)).max(64).exactOptional(),
      env: texts(z, "Environment of the command, beside what it gets anyway"),
      cwd: z.string().min(1).max(2_000).exactOptional().describe("Folder that the command starts in"),
      url: z.string().min(1).max(2_000).exactOptional(),
      headers: texts(z, "Headers of every request to the url"),
      replace: z.boolean().default(false).describe("true: also when the alias is attached already"),
    }),
  output: (z) =>
    z.looseObject({
      alias: z.string(),
      transport: z.string(),
      target: z.string(),
      toolCount: z.int(),
      toolNames: z.array(z.string()),
      attachedAt: z.string(),
    }),

  async handle({ servers, view, now }, args, ctx) {
    const state = await servers.attach(requestOf(args), ctx.deadline);
    const tools = view(ctx.caller)
      .all("tool")
      .filter(({ listing }) => listing.group === state.name);
    const listed = tools.map(({ name }) => name);
    const words =
      tools.length === 0 ? "It has no tools." : `Its tools can be called now: ${someOf(listed, TOLD_NAMES)}.`;
    return structured(`Attached ${state.name} (${state.target}). ${words}`, {
      alias: state.name,
      transport: state.transport,
      target: state.target,
      toolCount: tools.length,
      toolNames: tools.map(({ name, listing }) => listing.nameInGroup ?? name).slice(0, TOLD_NAMES),
      listedNames: listed.slice(0, TOLD_NAMES),
      attachedAt: new Date(now()).toISOString(),
    });
  },
});

export const upstreamDetach = operation({
  name: "upstream.mcp.detach",
  toolset: "attaching",
  title: "Detach an MCP server",
  description: 'Ends what upstream_mcp_attach has connected. Example: {"alias":"files"}',
  permission: "operate",
  annotations: { ...CHANGES_SERVERS, idempotentHint: true, openWorldHint: false },
  accept: (args) => renamed(args, "name", "alias"),
  input: (z) => z.strictObject({ alias: alias(z) }),
  output: (z) => z.looseObject({ alias: z.string(), detached: z.boolean() }),

  async handle({ servers }, args) {
    const detached = await servers.detach(args.alias);
    const words = detached ? `Detached ${args.alias}.` : `No server ${args.alias} was attached.`;
    return structured(words, { alias: args.alias, detached });
  },
});

export const upstreamList = operation({
  name: "upstream.mcp.list",
  toolset: "attaching",
  title: "List attached MCP servers",
  description: "Lists the servers that upstream_mcp_attach has connected, with their state. Takes no arguments.",
  permission: "operate",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: (z) => z.strictObject({}),
  output: (z) => z.looseObject({ upstreams: z.array(z.looseObject({ alias: z.string(), status: z.string() })) }),

  async handle({ fleet }) {
    const attached = fleet.servers().filter(({ origin }) => origin === "attached");
    const upstreams = attached.map(({ name, transport, target, status, problem, counts }): JsonObject => {
      return {
        alias: name,
        transport,
        target,
        status,
        toolCount: counts.tools,
        ...(problem !== undefined && { problem }),
      };
    });
    const lines = attached.map(({ name, status, target }) => `- ${name} (${status}): ${target}`);
    return structured(lines.length === 0 ? "No servers are attached." : lines.join("\n"), { upstreams });
  },
});

type Given = Omit<AttachRequest, "name" | "isReplacing" | "server"> & {
  alias: string;
  transport?: "stdio" | "http" | "sse";
  replace: boolean;
} & Partial<Record<"command" | "cwd" | "url", string>> & { args?: string[] } & Partial<
    Record<"env" | "headers", Record<string, string>>
  >;

/** @throws INVALID_ARGUMENTS when it cannot be told what to connect to */
function requestOf({ alias: name, replace, transport, ...server }: Given): AttachRequest {
  const { command, url } = server;
  const isStdio = transport === undefined ? command !== undefined : transport === "stdio";
  const missing = isStdio ? command === undefined && "command" : url === undefined && "url";
  if (missing) throw new DynamicMcpError("INVALID_ARGUMENTS", `${missing} is required (string): what to connect to`);
  if (command !== undefined && url !== undefined) {
    throw new DynamicMcpError("INVALID_ARGUMENTS", "give either command or url, not both");
  }
  return { name, isReplacing: replace, server: { ...server, ...(transport !== undefined && { type: transport }) } };
}

function renamed(args: JsonObject, from: string, to: string): JsonObject {
  const { [from]: value, ...others } = args;
  return value === undefined || to in others ? args : { ...others, [to]: value };
}
