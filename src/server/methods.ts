import type { Caller } from "../core/caller.ts";
import { LOG_LEVELS, type LogLevel } from "../core/source.ts";
import type { ClientMemory, Exchange } from "./exchange.ts";
import { bytesReply, resultReply, type Reply } from "./json-rpc.ts";
import { LIST_OF, type ListMethod } from "./listed.ts";
import type { Lists } from "./lists.ts";
import type { Notices } from "./notices.ts";
import { invalidParams, MODERN_VERSIONS, ProtocolError, RPC, type Era } from "./protocol.ts";
import type { CacheHint, ResultWriter } from "./results.ts";
import type { createRuns } from "./runs.ts";
import { isRunMethod, READ_WANTED, text, type RunMethod } from "./wanted.ts";

type Handler = (exchange: Exchange) => Reply | undefined | Promise<Reply | undefined>;

const DISCOVER_HINT: CacheHint = { ttlMs: 60_000, cacheScope: "public" };
/** What a resource says now; nobody promises for how long. */
const READ_HINT: CacheHint = { ttlMs: 0, cacheScope: "private" };

/** What this server does, in either era. */
export const CAPABILITIES = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  completions: {},
  logging: {},
} as const;

/**
 * The one table of methods, for both eras and all transports. `initialize` is not in it: it makes the client that
 * others are answered for, so the transports handle it.
 *
 * A handler gives `undefined` when its answer went another way (a stream of notices).
 */
export function createMethods({
  lists,
  runs,
  notices,
  writer,
  instructions,
}: {
  lists: Lists;
  runs: ReturnType<typeof createRuns>;
  notices: Notices;
  writer: ResultWriter;
  instructions: ((caller: Caller) => string | undefined) | undefined;
}) {
  const reply = (exchange: Exchange, result: object, hint?: CacheHint) =>
    resultReply(exchange.id, writer.write(exchange.era, result, hint));

  const list =
    (method: ListMethod): Handler =>
    ({ id, era, caller, params }) => {
      const { cursor } = params;
      if (cursor !== undefined && typeof cursor !== "string") throw invalidParams("`cursor` must be a text");
      const { bytes, rest } = lists.page(method, era, caller, cursor);
      return bytesReply(id, bytes, rest);
    };

  const run =
    (method: RunMethod): Handler =>
    async (exchange) => {
      const result = await runs.run(exchange, method);
      const isReady = method === "resources/read" && !("resultType" in result);
      return reply(exchange, result, isReady ? READ_HINT : undefined);
    };

  const remember =
    (change: (memory: ClientMemory, exchange: Exchange) => Promise<void>): Handler =>
    async (exchange) => {
      if (exchange.memory) await change(exchange.memory(), exchange);
      return reply(exchange, {});
    };

  const listen: Handler = (exchange) => {
    notices.listen(exchange);
    return undefined;
  };

  const both: [string, Handler][] = [
    ...(Object.keys(LIST_OF) as ListMethod[]).map((method): [string, Handler] => [method, list(method)]),
    ...Object.keys(READ_WANTED)
      .filter(isRunMethod)
      .map((method): [string, Handler] => [method, run(method)]),
  ];
  const legacy: [string, Handler][] = [
    ["ping", (exchange) => reply(exchange, {})],
    ["logging/setLevel", remember((memory, { params }) => memory.setLogLevel(readLogLevel(params["level"])))],
    ["resources/subscribe", remember((memory, { params }) => memory.subscribe(text(params, "uri")))],
    ["resources/unsubscribe", remember((memory, { params }) => memory.unsubscribe(text(params, "uri")))],
  ];
  const modern: [string, Handler][] = [
    ["server/discover", (exchange) => reply(exchange, discovered(exchange.caller), DISCOVER_HINT)],
    ["subscriptions/listen", listen],
  ];
  const tables: Record<Era, Map<string, Handler>> = {
    legacy: new Map([...both, ...legacy]),
    modern: new Map([...both, ...modern]),
  };

  function discovered(caller: Caller): object {
    const text = instructions?.(caller);
    return { supportedVersions: MODERN_VERSIONS, capabilities: CAPABILITIES, ...(text ? { instructions: text } : {}) };
  }

  return {
    /** @throws ProtocolError -32601 for a method that this era does not have */
    handler(era: Era, method: string): Handler {
      const found = tables[era].get(method);
      if (found) return found;
      const shown = method.length > 100 ? `${method.slice(0, 100)}...` : method;
      throw new ProtocolError(RPC.methodNotFound, `there is no method ${JSON.stringify(shown)}`, {
        status: era === "modern" ? 404 : 200,
      });
    },
  };
}

export type Methods = ReturnType<typeof createMethods>;

/** @throws ProtocolError -32602 */
export function readLogLevel(value: unknown): LogLevel {
  const level = LOG_LEVELS.find((each) => each === value);
  if (!level) throw invalidParams(`the log level must be one of ${LOG_LEVELS.join(", ")}`);
  return level;
}
