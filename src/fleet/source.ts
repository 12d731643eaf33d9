import { DynamicMcpError, type ErrorCode } from "../core/errors.ts";
import type { AnyResult, ItemKind, ToolItem } from "../core/item.ts";
import type { JsonObject } from "../core/json.ts";
import { unfit, type Problem } from "../core/problems.ts";
import type { ChannelMessage, Listing, RunContext, Source, Target } from "../core/source.ts";
import { callServer, type CallSpec } from "./call.ts";
import { Claims } from "./claims.ts";
import { removed } from "./errors.ts";
import { serverOfId, type FleetListing, type Listings } from "./listings.ts";
import { paramHeaders } from "./param-headers.ts";
import { hideInError, hideInResult, passedOn } from "./results.ts";
import type { FleetServer } from "./server.ts";

export interface FleetSourceOptions {
  server: (name: string) => FleetServer | undefined;
  servers: () => Iterable<FleetServer>;
  listings: { readonly [K in ItemKind]: Listings<K> };
  validate: (schema: JsonObject, value: unknown) => Promise<readonly Problem[]>;
  onChange: Source["onChange"];
  onResourceUpdated: (listener: (uri: string) => void) => () => void;
  onMessage: (listener: (message: ChannelMessage) => void) => () => void;
}

const CLAIMED = "claimed";

/** Everything that other servers have, as one {@link Source}. */
export function createFleetSource(on: FleetSourceOptions): Source {
  const claims = new Claims((server) => on.server(server) !== undefined);

  function found<K extends ItemKind>(
    kind: K,
    id: string,
    code: ErrorCode,
  ): { server: FleetServer; listing: FleetListing<K> } {
    const listing = (on.listings[kind] as unknown as Listings<K>).get(id);
    const server = listing && on.server(listing.server);
    if (!listing || !server)
      throw new DynamicMcpError(code, `${id} has just been taken away; list again to see what there is`);
    return { server, listing };
  }

  function specOf(target: Target): { server: FleetServer; spec: CallSpec } {
    switch (target.kind) {
      case "tool": {
        const { server, listing } = found("tool", target.item.id, "TOOL_NOT_FOUND");
        const headers = paramHeaders(target.item.inputSchema, target.args);
        const spec = {
          method: "tools/call",
          params: { name: listing.key, arguments: target.args },
          what: `the tool ${listing.key}`,
          limit: { name: "tools", ms: server.definition.timeouts.tools },
          ...(headers ? { headers } : {}),
        };
        return { server, spec };
      }
      case "prompt": {
        const { server, listing } = found("prompt", target.id, "PROMPT_NOT_FOUND");
        const params = { name: listing.key, arguments: target.args };
        return {
          server,
          spec: { method: "prompts/get", params, what: `the prompt ${listing.key}`, limit: promptLimit(server) },
        };
      }
      case "resource":
      case "template": {
        const server = on.server(serverOfId(target.id));
        if (!server) throw removed(serverOfId(target.id));
        const limit = { name: "resources", ms: server.definition.timeouts.resources };
        return { server, spec: { method: "resources/read", params: { uri: target.uri }, what: "a resource", limit } };
      }
      case "completion":
        return completionSpec(target);
    }
  }

  function completionSpec({ id, argument, context }: Extract<Target, { kind: "completion" }>) {
    const prompt = on.listings.prompt.get(id);
    const listing = prompt ?? on.listings.template.get(id) ?? on.listings.resource.get(id);
    const server = listing && on.server(listing.server);
    if (!server) throw removed(serverOfId(id));
    const ref = prompt ? { type: "ref/prompt", name: listing.key } : { type: "ref/resource", uri: listing.key };
    const params: JsonObject = { ref, argument: { ...argument } };
    if (Object.keys(context).length > 0) params["context"] = { arguments: { ...context } };
    return {
      server,
      spec: { method: "completion/complete", params, what: "a completion", limit: promptLimit(server) },
    };
  }

  async function run(target: Target, ctx: RunContext): Promise<AnyResult> {
    const { server, spec } = specOf(target);
    const { name, secrets } = server.definition;
    server.assertUsable();
    if (target.kind === "completion" && !server.offer?.about.capabilities["completions"]) {
      return { completion: { values: [] } };
    }
    try {
      const result = passedOn(await callServer(server, spec, ctx), name);
      const shown = secrets.length === 0 ? result : hideInResult(result, server.hide);
      claims.note(shown, name, ctx.caller.principal.id);
      return shown;
    } catch (error) {
      throw secrets.length === 0 ? error : hideInError(error, server.hide, name);
    }
  }

  /** What our checker cannot use, the server checks for itself. */
  async function problemsOf(item: ToolItem, args: JsonObject): Promise<readonly Problem[]> {
    try {
      return await on.validate(item.inputSchema, args);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      on.server(serverOfId(item.id))?.sayOnce(`arguments of ${item.name} are checked by the server alone: ${why}`);
      return [];
    }
  }

  return {
    name: "fleet",
    items: <K extends ItemKind>(kind: K) => on.listings[kind].all as unknown as readonly Listing<K>[],
    async check(item, args) {
      const problems = await problemsOf(item, args);
      if (problems.length > 0) throw unfit(`the arguments of ${item.name}`, problems);
      return args;
    },
    run,
    onChange: on.onChange,
    onResourceUpdated: on.onResourceUpdated,
    onMessage: on.onMessage,
    rootsChanged(caller) {
      for (const server of on.servers()) server.rootsChanged(caller);
    },
    watch(uri, id, caller) {
      return on.server(serverOfId(id))?.watches.add(uri, caller) ?? (() => {});
    },
    claims(uri, caller) {
      const handed = () => claims.serverOf(uri, caller.principal.id);
      const shown = () => ofTools(uri, on.servers());
      const name = uri.startsWith("ui://") ? (shown() ?? handed()) : (handed() ?? shown());
      const server = name === undefined ? undefined : on.server(name);
      return server?.isUsable ? `${encodeURIComponent(server.definition.name)}/${CLAIMED}/${uri}` : undefined;
    },
  };
}

/** The server one of whose tools shows itself with this resource. */
function ofTools(uri: string, servers: Iterable<FleetServer>): string | undefined {
  for (const { offer, definition } of servers) if (offer?.uiUris.includes(uri)) return definition.name;
  return undefined;
}

function promptLimit({ definition }: FleetServer): CallSpec["limit"] {
  return { name: "prompts", ms: definition.timeouts.prompts };
}
