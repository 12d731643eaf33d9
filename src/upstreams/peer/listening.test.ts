import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { connectOptions } from "../upstream.contract.ts";
import type { UpstreamEnd } from "../upstream.ts";
import { Peer } from "./peer.ts";
import type { Wire, WireAnswer, WireMessage } from "./wire.ts";

/** A stream of changes that is open at the server. */
interface Open {
  filter: JsonObject;
  end(answer: WireAnswer | DynamicMcpError): void;
}

const DONE: WireAnswer = { result: { resultType: "complete" } };
const gone = new DynamicMcpError("UPSTREAM_UNAVAILABLE", "the stream broke off");

/** A server of 2026-07-28 on a wire of its own, which answers when the test says so. */
function open(capabilities: JsonObject = { tools: { listChanged: true }, resources: { subscribe: true } }) {
  const streams: Open[] = [];
  const opened: JsonObject[] = [];
  let say: (message: WireMessage) => void = () => {};
  const ended = Promise.withResolvers<UpstreamEnd>();
  const wire: Wire = {
    request(_id, body, { deadline }) {
      const { params } = JSON.parse(body) as { params: { notifications: JsonObject } };
      return new Promise((resolve, reject) => {
        const stream: Open = {
          filter: params.notifications,
          end(answer) {
            stop();
            streams.splice(streams.indexOf(stream), 1);
            if (answer instanceof DynamicMcpError) reject(answer);
            else resolve(answer);
          },
        };
        const stop = deadline.onEnd(() => stream.end(deadline.error()));
        streams.push(stream);
        opened.push(stream.filter);
      });
    },
    send() {},
    ended: ended.promise,
    async close() {
      ended.resolve({ reason: "closed", message: "closed" });
    },
  };
  const options = connectOptions();
  options.deadline.close(); // it is connected
  const peer = new Peer(options, (onMessage) => ((say = onMessage), wire));
  peer.open({ era: "modern", version: "2026-07-28", transport: "http", info: {}, capabilities });
  return {
    /** As often as it was asked for, with what. */
    opened,
    /** Those that are open now. */
    streams,
    acknowledge: () => say({ kind: "notification", method: "notifications/subscriptions/acknowledged", params: {} }),
    async watch(uri: string, verb: "subscribe" | "unsubscribe" = "subscribe") {
      const deadline = new Deadline(1_000);
      await peer.request(`resources/${verb}`, { uri }, { deadline });
      deadline.close();
      await vi.advanceTimersByTimeAsync(0);
    },
    close: () => peer.close(),
  };
}

let server: ReturnType<typeof open>;
const after = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.999_999);
});

afterEach(async () => {
  await server.close();
  await after(0);
  if (server.streams.length + vi.getTimerCount() > 0) throw new Error("streams or timers are left");
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it("opens the stream again when it ends: later each time while it does not hold, soon after one that did", async () => {
  server = open();
  await after(0);
  for (const waitMs of [1_000, 2_000, 4_000]) {
    const before = server.opened.length;
    server.acknowledge();
    server.streams[0]?.end(gone);
    await after(waitMs - 10);
    expect(server.opened).toHaveLength(before);
    await after(10);
    expect(server.opened).toHaveLength(before + 1);
  }
  server.acknowledge();
  await after(10_000);
  server.streams[0]?.end(DONE);
  await after(1_000);
  expect(server.opened).toEqual(Array.from({ length: 5 }, () => ({ toolsListChanged: true })));
});

it("waits a minute at most, and goes on for as long as it is acknowledged", async () => {
  server = open();
  await after(0);
  const waits: number[] = [];
  for (let times = 1; times <= 20; times++) {
    server.acknowledge();
    server.streams[0]?.end(gone);
    const endedAt = performance.now();
    await after(0);
    await vi.advanceTimersToNextTimerAsync();
    expect(server.streams).toHaveLength(1);
    waits.push(Math.round((performance.now() - endedAt) / 1_000));
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, ...Array.from({ length: 14 }, () => 60)]);
});

it("gives up when nothing is acknowledged, until something else is watched", async () => {
  server = open();
  await after(9_990);
  expect(server.streams).toHaveLength(1);
  await after(20);
  expect(server.streams).toHaveLength(0); // it is not waited for any longer
  await after(3_600_000);
  expect([server.opened.length, server.streams.length]).toEqual([5, 0]);
  await server.watch("m://one");
  expect(server.opened.at(-1)).toEqual({ toolsListChanged: true, resourceSubscriptions: ["m://one"] });
});

it("does not ask again who does not know the method, nor at all who declares nothing", async () => {
  server = open();
  await after(0);
  server.streams[0]?.end({ error: { code: -32601, message: "no such method" } });
  await after(3_600_000);
  expect(server.opened).toHaveLength(1);
  await server.close();
  server = open({ tools: {} });
  await after(3_600_000);
  await server.watch("m://one");
  expect(server.opened).toEqual([]);
});

it("keeps the stream until one for other resources is acknowledged", async () => {
  server = open();
  await after(0);
  server.acknowledge();
  await server.watch("m://one");
  expect(server.streams.map(({ filter }) => filter)).toEqual([
    { toolsListChanged: true },
    { toolsListChanged: true, resourceSubscriptions: ["m://one"] },
  ]);
  server.acknowledge();
  await after(0);
  expect(server.streams.map(({ filter }) => filter["resourceSubscriptions"])).toEqual([["m://one"]]);
  await server.watch("m://one", "unsubscribe");
  server.acknowledge();
  await after(0);
  expect(server.streams.map(({ filter }) => filter)).toEqual([{ toolsListChanged: true }]);
});
