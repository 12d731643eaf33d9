import { afterEach, describe, expect, it } from "vitest";
import { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { rawTextOf } from "../core/raw-text.ts";
import type { ConnectOptions, Relay, Upstream } from "./upstream.ts";

/** Connects to a server of the older era whose tools are those of `fixtures/raw-server.ts`. */
export type OpenForContract = (options: ConnectOptions) => Promise<Upstream>;

export function connectOptions(changes: Partial<ConnectOptions> = {}): ConnectOptions {
  return {
    name: "other",
    deadline: new Deadline(15_000),
    capabilities: { elicitation: {} },
    client: { name: "tests", version: "1" },
    maxMessageBytes: 128 * 1024 * 1024,
    onNotification() {},
    onQuestion: () => Promise.reject(new DynamicMcpError("CAPABILITY_MISSING", "nobody to ask")),
    onLine() {},
    ...changes,
  };
}

export function relayThat(changes: Partial<Relay> = {}): Relay {
  return {
    can: { elicitForm: true, elicitUrl: false, sampling: false, roots: false },
    logLevel: "debug",
    log() {},
    ask: () => Promise.reject(new DynamicMcpError("CAPABILITY_MISSING", "nobody to ask")),
    ...changes,
  };
}

export function callTool(
  upstream: Upstream,
  name: string,
  args: JsonObject = {},
  options: { relay?: Relay; ms?: number; deadline?: Deadline } = {},
): Promise<JsonObject> {
  const deadline = options.deadline ?? new Deadline(options.ms ?? 10_000);
  const relay = options.relay && { relay: options.relay };
  return upstream
    .request("tools/call", { name, arguments: args }, { deadline, ...relay })
    .finally(() => deadline.close());
}

/** What every connection to a server of the older era does, whatever carries it. */
export function describeUpstreamContract(transport: string, open: OpenForContract): void {
  describe(`an upstream over ${transport}`, () => {
    const opened: Upstream[] = [];
    const connect = async (changes: Partial<ConnectOptions> = {}) => {
      const upstream = await open(connectOptions(changes));
      opened.push(upstream);
      return upstream;
    };
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((upstream) => upstream.close()));
    });

    it("tells who the server is, with all that it says of itself", async () => {
      const { about } = await connect();
      expect(about).toMatchObject({ era: "legacy", version: "2025-11-25", info: { name: "raw", extra: true } });
    });

    it("gives results as they came, unknown members included [servers-raw]", async () => {
      const result = await callTool(await connect(), "echo", { text: "\u00e9\u{1f600}\n" });
      expect(result).toEqual({
        content: [{ type: "text", text: "\u00e9\u{1f600}\n" }],
        vendor: { big: 1 },
        _meta: { "x/y": [1] },
      });
      expect(JSON.parse(rawTextOf(result) ?? "")).toEqual(result);
    });

    it("keeps the text of a result, whose numbers JavaScript cannot hold", async () => {
      expect(rawTextOf(await callTool(await connect(), "result first"))).toBe('{"n":12345678901234567890}');
    });

    it("passes on the server's own errors", async () => {
      await expect(callTool(await connect(), "error")).rejects.toMatchObject({
        code: "UPSTREAM_ERROR",
        rpc: { code: -32099, message: "no", data: { why: 1 } },
      });
    });

    it("brings progress and log lines to the request they belong to", async () => {
      const seen: unknown[] = [];
      const relay = relayThat({
        progress: (...progress) => seen.push(progress),
        log: (...line) => seen.push(line),
      });
      await callTool(await connect(), "progress", {}, { relay });
      expect(seen).toEqual([
        [1, 2, "half"],
        ["info", { a: 1 }, "x"],
      ]);
    });

    it("asks for progress only on behalf of who wants it, and sends the client's own meta on", async () => {
      const upstream = await connect();
      expect(await callTool(upstream, "meta", {}, { relay: relayThat() })).toEqual({ meta: null });
      const relay = relayThat({ meta: { traceparent: "00-1" } });
      expect(await callTool(upstream, "meta", {}, { relay })).toEqual({ meta: { traceparent: "00-1" } });
    });

    it("cancels at the server when the deadline ends, and the next call gets its own answer [servers-own-answer]", async () => {
      const upstream = await connect();
      await expect(callTool(upstream, "late", {}, { ms: 40 })).rejects.toMatchObject({ code: "TIMEOUT" });
      expect(await callTool(upstream, "echo", { text: "mine" })).toMatchObject({ content: [{ text: "mine" }] });
      const { cancelled } = await callTool(upstream, "cancelled");
      expect(cancelled).toHaveLength(1);
    });

    it("ignores answers with ids that were never given, and second answers", async () => {
      const upstream = await connect();
      expect(await callTool(upstream, "wrong ids")).toMatchObject({ content: [{ text: "right" }] });
      expect(await callTool(upstream, "echo", { text: "after" })).toMatchObject({ content: [{ text: "after" }] });
    });

    it("takes a question to the client of the call, though its id is one of ours [servers-own-client]", async () => {
      const upstream = await connect();
      const relay = relayThat({ ask: async (method, params) => ({ action: "accept", content: { method, params } }) });
      expect(await callTool(upstream, "ask", { method: "elicitation/create" }, { relay })).toEqual({
        got: { action: "accept", content: { method: "elicitation/create", params: { message: "sure?" } } },
      });
    });

    it("answers a ping itself, and refuses what the client cannot be asked", async () => {
      const upstream = await connect();
      const relay = relayThat({ ask: () => Promise.reject(new Error("must not be asked")) });
      expect(await callTool(upstream, "ask", { method: "ping" }, { relay })).toEqual({ got: {} });
      for (const method of ["sampling/createMessage", "roots/list", "made/up"]) {
        expect(await callTool(upstream, "ask", { method }, { relay })).toMatchObject({
          got: { error: { code: -32601 } },
        });
      }
    });

    it("fails an answer that is too large alone, at the edge of what is read [servers-bounded]", async () => {
      const upstream = await connect({ maxMessageBytes: 10_000 });
      const around = JSON.stringify({
        jsonrpc: "2.0",
        id: 10,
        result: { content: [{ type: "text", text: "" }] },
      }).length;
      const other = callTool(upstream, "late");
      await expect(callTool(upstream, "large", { bytes: 1_000_000 })).rejects.toMatchObject({ code: "TOO_LARGE" });
      expect(await callTool(upstream, "large", { bytes: 10_000 - around })).toBeDefined();
      await expect(callTool(upstream, "large", { bytes: 10_001 })).rejects.toMatchObject({ code: "TOO_LARGE" });
      expect(await other).toMatchObject({ content: [{ text: "late" }] });
    });

    it("brings an answer of 100 MB", async () => {
      const result = await callTool(await connect(), "large", { bytes: 100_000_000 });
      expect(rawTextOf(result)?.length).toBeGreaterThan(100_000_000);
    });

    it("fails what is under way when it is closed, and everything after", async () => {
      const upstream = await connect();
      const hanging = callTool(upstream, "hang");
      await Promise.all([expect(hanging).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" }), upstream.close()]);
      await expect(callTool(upstream, "echo")).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
      expect(await upstream.ended).toMatchObject({ reason: "closed" });
    });
  });
}
