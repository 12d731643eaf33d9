import { createAccess } from "../../src/access/access.ts";
import { createCalls } from "../../src/calls/create-calls.ts";
import { LOCAL, type Caller } from "../../src/core/caller.ts";
import type { Exposure } from "../../src/core/exposure.ts";
import type { AnyResult, ItemKind, ToolItem } from "../../src/core/item.ts";
import { SILENT, type ChannelMessage, type Listing, type RunContext, type Source } from "../../src/core/source.ts";
import { createGuard } from "../../src/guard/create-guard.ts";
import { createSchemas } from "../../src/schemas/create-schemas.ts";
import { createMcpServer } from "../../src/server/create-server.ts";
import type { ServerParts } from "../../src/server/server.ts";
import { createSurface } from "../../src/surface/create-surface.ts";
import { createMemoryChannels } from "../support/memory-channels.ts";

export type Run = (ctx: RunContext) => AnyResult | Promise<AnyResult>;

/**
 * The real line and the real server around one Source that does what other servers do: it hands on results as they
 * came, asks with a state, is told who watches what, and tells log lines that belong to no call.
 */
export async function openSourceWorld(
  runs: Record<string, Run>,
  {
    options = {},
    identify = () => LOCAL,
    channels = createMemoryChannels(),
    more = {},
  }: {
    options?: ServerParts["options"] & object;
    identify?: ServerParts["identify"];
    channels?: ServerParts["channels"];
    /** Members of each tool beyond the usual. */
    more?: Partial<ToolItem>;
  } = {},
) {
  /** URIs that somebody watches, once for each who does. */
  const watched: string[] = [];
  const withOtherRoots: (string | undefined)[] = [];
  const seen: (Exposure | undefined)[] = [];
  const changed = new Set<(kind: ItemKind) => void>();
  const updated = new Set<(uri: string) => void>();
  const heard = new Set<(message: ChannelMessage) => void>();
  const tools = Object.keys(runs).map((name): Listing => {
    const item: ToolItem = { kind: "tool", id: name, name, revision: 1, inputSchema: { type: "object" }, ...more };
    return { kind: "tool", id: name, name, load: () => item };
  });
  const resource = (uri: string): Listing => ({
    kind: "resource",
    id: uri,
    name: uri,
    load: () => ({ kind: "resource", id: uri, name: uri, uri }),
  });
  let resources = [resource("test://one")];

  const subscribe = <L>(to: Set<L>, listener: L) => {
    to.add(listener);
    return () => void to.delete(listener);
  };
  const source: Source = {
    name: "test",
    items: (kind: ItemKind, caller: Caller) => {
      if (kind === "tool") seen.push(caller.exposure);
      return (kind === "tool" ? tools : kind === "resource" ? resources : []) as never;
    },
    async run(target, ctx) {
      const run = target.kind === "tool" ? runs[target.item.name] : undefined;
      if (!run) throw new Error("there is no such run");
      return run(ctx);
    },
    onChange: (listener) => subscribe(changed, listener),
    onResourceUpdated: (listener) => subscribe(updated, listener),
    onMessage: (listener) => subscribe(heard, listener),
    rootsChanged: (caller) => void withOtherRoots.push(caller.channel),
    watch(uri) {
      watched.push(uri);
      let isOver = false;
      return () => {
        if (!isOver) watched.splice(watched.indexOf(uri), 1);
        isOver = true;
      };
    },
  };
  const surface = createSurface({ sources: [source], nameStyle: "wire", isListed: () => true });
  const schemas = createSchemas();
  const calls = createCalls({
    surface,
    guard: createGuard({ concurrency: 64, callsPerWindow: 1_000_000, windowMs: 60_000 }),
    access: createAccess({}),
    validate: (schema, value) => schemas.validate(schema, value),
    record: () => {},
    log: SILENT,
    newId: () => "call",
  });
  const key = new Uint8Array(32).fill(7);
  const server = createMcpServer({
    surface,
    calls,
    channels,
    sharedKey: async () => key,
    identify,
    log: SILENT,
    options: { port: 0, ...options },
  });
  const { url } = await server.listenHttp();
  return {
    server,
    url,
    watched,
    /** Channels whose clients have said that their roots are others. */
    withOtherRoots,
    /** How the callers who looked at tools wanted them exposed. */
    seen,
    tellUpdated: (uri: string) => updated.forEach((listener) => listener(uri)),
    tellMessage: (message: ChannelMessage) => heard.forEach((listener) => listener(message)),
    setResources(uris: string[]) {
      resources = uris.map(resource);
      changed.forEach((listener) => listener("resource"));
    },
    close: () => server.close(100),
  };
}
