import { createAccess } from "../../src/access/access.ts";
import { createCalls } from "../../src/calls/create-calls.ts";
import type { CallRecord } from "../../src/core/call.ts";
import { LOCAL } from "../../src/core/caller.ts";
import { SILENT, type Logger } from "../../src/core/source.ts";
import { createGuard } from "../../src/guard/create-guard.ts";
import { createPackSource } from "../../src/packs/pack-source.ts";
import type { Pack } from "../../src/packs/pack.ts";
import { createSchemas } from "../../src/schemas/create-schemas.ts";
import { createMcpServer } from "../../src/server/create-server.ts";
import type { HttpListener, McpServer, ServerParts } from "../../src/server/server.ts";
import { createSurface } from "../../src/surface/create-surface.ts";
import { createMemoryChannels } from "./memory-channels.ts";

export interface World {
  server: McpServer;
  records: CallRecord[];
  listen(): Promise<HttpListener>;
  close(): Promise<void>;
}

/** The real line and the real server around one pack, with nothing on disk. */
export async function openWorld(
  pack: Pack,
  options: Partial<ServerParts["options"]> & object = {},
  parts: Partial<Pick<ServerParts, "channels" | "identify" | "now" | "log" | "sharedKey">> = {},
): Promise<World> {
  const log: Logger = parts.log ?? SILENT;
  const records: CallRecord[] = [];
  const source = createPackSource(pack, { log });
  await source.open();
  const surface = createSurface({ sources: [source], nameStyle: "wire", isListed: () => true });
  const schemas = createSchemas();
  let calls = 0;
  const line = createCalls({
    surface,
    guard: createGuard({ concurrency: 64, callsPerWindow: 1_000_000, windowMs: 60_000 }),
    access: createAccess({}),
    validate: (schema, value) => schemas.validate(schema, value),
    record: (record) => void (records.length < 1_000 && records.push(record)),
    log,
    newId: () => `call-${++calls}`,
  });
  const key = new Uint8Array(32).fill(7);
  const server = createMcpServer({
    surface,
    calls: line,
    channels: parts.channels ?? createMemoryChannels(),
    sharedKey: parts.sharedKey ?? (async () => key),
    identify: parts.identify ?? (() => LOCAL),
    log,
    ...(parts.now ? { now: parts.now } : {}),
    options: { port: 0, ...options },
  });
  return {
    server,
    records,
    listen: () => server.listenHttp(),
    async close() {
      await server.close(100);
      await source.close();
    },
  };
}
