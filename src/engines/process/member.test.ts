import { afterEach, describe, expect, it } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import type { HostCalls } from "../../core/source.ts";
import type { HostAccess, Job } from "../engine.ts";
import { createFakeChild, type FakeChild } from "./fixtures/fake-child.ts";
import { createMember, type MemberEnd } from "./member.ts";
import { KIND, pack } from "./protocol.ts";

const LIMITS = { memoryMiB: 1, argsBytes: 100, resultBytes: 20, logBytes: 20, hostCalls: { open: 2, total: 3 } };
const MAY: HostAccess = { callTools: true, fetch: false, readSecrets: false };
const END = { logs: [], logBytesDropped: 0, rssMiB: 1 };
const job: Job = {
  program: { js: "", digest: "", name: "job" },
  argsJson: "{}",
  limits: LIMITS,
  seed: "",
  startedAtMs: 0,
  depth: 0,
  may: MAY,
  scope: "test",
};
const never: HostCalls = { call: () => new Promise<never>(() => {}) };

const deadlines: Deadline[] = [];
afterEach(() => {
  for (const deadline of deadlines.splice(0)) deadline.close();
});

function begin(host: HostCalls = never) {
  let child: FakeChild | undefined;
  const member = createMember({ engine: "node", start: (onFrame) => (child = createFakeChild(onFrame)) });
  const deadline = new Deadline(10_000);
  deadlines.push(deadline);
  const end: Promise<MemberEnd> = member.run(job, host, deadline);
  if (!child) throw new Error("no child was started");
  return { member, child, end, deadline };
}

const call = (step: unknown, method: unknown = "tools.call") => [KIND.call, { method, step }, "{}"] as const;
const logs = (...texts: unknown[]) => texts.map((text) => ({ level: "log", text }));

describe("a child without a job", () => {
  const WAITS = [KIND.waits, { logs: [] }] as const;
  it("may say what was on its way, and is ended when it goes on", async () => {
    const { child, end, member, deadline } = begin();
    child.say(KIND.done, END, "1");
    await end;
    for (let i = 0; i < 16; i++) child.say(...WAITS);
    expect(member.isSound).toBe(true);
    const next = member.run(job, never, deadline);
    child.say(KIND.done, END, "2");
    expect(await next).toMatchObject({ resultJson: "2" });
    for (let i = 0; i < 17; i++) child.say(...WAITS);
    expect(member.isSound).toBe(false);
    expect(child.isKilled).toBe(true);
  });
});

describe("what a child says of its job", () => {
  it("is taken when it can be true", async () => {
    const { child, end, member } = begin({ call: async () => 1 });
    child.say(KIND.waits, { logs: logs("0123456789") });
    child.say(...call(0));
    await expect.poll(() => child.received.filter(({ kind }) => kind === KIND.reply).length).toBe(1);
    child.say(KIND.done, { ...END, logs: logs("01234567") }, '"0123456789 12345 7"');
    expect(await end).toMatchObject({
      resultJson: '"0123456789 12345 7"',
      head: { logs: logs("0123456789", "01234567") },
    });
    expect(member.isSound).toBe(true);
  });

  it.each<[string, string, (child: FakeChild) => void]>([
    ["a result larger than its limit", "TOO_LARGE", (c) => c.say(KIND.done, END, '"0123456789 12345 78"')],
    ["a result that is not JSON", "ENGINE_CRASHED", (c) => c.say(KIND.done, END, "{]")],
    ["a payload nested too deeply", "ENGINE_CRASHED", (c) => c.say(KIND.call, { method: "tools.call", step: 0 }, "[".repeat(1_001) + "]".repeat(1_001))], // prettier-ignore
    ["no result", "ENGINE_CRASHED", (c) => c.say(KIND.done, END)],
    ["an end that only we can make", "ENGINE_CRASHED", (c) => c.say(KIND.done, { ...END, code: "CANCELLED" })],
    ["a message without end", "ENGINE_CRASHED", (c) => c.say(KIND.done, { ...END, code: "CODE_THREW", message: "x".repeat(8_001) })], // prettier-ignore
    ["a message that is none", "ENGINE_CRASHED", (c) => c.say(KIND.done, { ...END, code: "CODE_THREW", message: {} })],
    ["a line that cannot be", "ENGINE_CRASHED", (c) => c.say(KIND.done, { ...END, code: "CODE_THREW", line: -1 })],
    ["no logs", "ENGINE_CRASHED", (c) => c.say(KIND.done, { logBytesDropped: 0 }, "1")],
    ["logs over the limit, in pieces", "TOO_LARGE", (c) => { for (let i = 0; i < 4; i++) c.say(KIND.waits, { logs: logs("012345") }) }], // prettier-ignore
    ["many empty lines", "TOO_LARGE", (c) => c.say(KIND.waits, { logs: logs(...Array<string>(30).fill("")) })],
    ["a level that is none", "ENGINE_CRASHED", (c) => c.say(KIND.waits, { logs: [{ level: "fatal", text: "" }] })],
    ["a line that is no text", "ENGINE_CRASHED", (c) => c.say(KIND.waits, { logs: logs(5) })],
    ["a step before its turn", "ENGINE_CRASHED", (c) => c.say(...call(1))],
    ["a step twice", "ENGINE_CRASHED", (c) => { c.say(...call(0)); c.say(...call(0)) }], // prettier-ignore
    ["a step that is no number", "ENGINE_CRASHED", (c) => c.say(...call("0"))],
    ["more open calls than its limit", "TOO_LARGE", (c) => { for (let i = 0; i < 3; i++) c.say(...call(i)) }], // prettier-ignore
    ["a method that does not exist", "ENGINE_CRASHED", (c) => c.say(...call(0, "system.shutdown"))],
    ["a method that it may not use", "ENGINE_CRASHED", (c) => c.say(...call(0, "secrets.get"))],
    ["a method from a prototype", "ENGINE_CRASHED", (c) => c.say(...call(0, "constructor"))],
    ["a payload that is not JSON", "ENGINE_CRASHED", (c) => c.say(KIND.call, { method: "tools.call", step: 0 }, "{")],
    ["a head that is null", "ENGINE_CRASHED", (c) => c.say(KIND.waits, null)],
    ["a kind that is none", "ENGINE_CRASHED", (c) => c.say(99, {})],
    ["a kind that only we send", "ENGINE_CRASHED", (c) => c.say(KIND.job, {})],
    ["an empty frame", "ENGINE_CRASHED", (c) => c.sayBytes(new Uint8Array())],
    ["a head longer than its frame", "ENGINE_CRASHED", (c) => c.sayBytes(Buffer.from([8, 0, 0, 1, 0, 123, 125]))],
    ["ready twice", "ENGINE_CRASHED", (c) => { c.ready(); c.ready() }], // prettier-ignore
    ["ready at length", "ENGINE_CRASHED", (c) => c.say(KIND.ready, { rssMiB: 1, more: "x".repeat(1_024) })],
    ["a payload larger than its limit", "TOO_LARGE", (c) => c.say(KIND.call, { method: "tools.call", step: 0 }, `"${"x".repeat(100 + 65_536 - 1)}"`)], // prettier-ignore
    ["a head larger than all logs can be", "TOO_LARGE", (c) => c.say(KIND.waits, { logs: [], more: "x".repeat(102_000) })], // prettier-ignore
    ["heads that are larger together", "TOO_LARGE", (c) => { for (let i = 0; i < 60; i++) c.say(KIND.runs, { more: "x".repeat(2_000) }) }], // prettier-ignore
    ["a flood of frames", "TOO_LARGE", (c) => { for (let i = 0; i < 60_000; i++) c.say(KIND.runs, {}) }], // prettier-ignore
  ])("ends the job and the child when it is %s", async (_, code, lie) => {
    const { child, end, member } = begin();
    lie(child);
    const { head, resultJson } = await end;
    expect(head.code).toBe(code);
    expect(head.message).toMatch(/./);
    expect(resultJson).toBe("");
    expect(member.isSound).toBe(false);
    expect(child.isKilled).toBe(true);
  });

  it("is not even read when it is larger than it can be", async () => {
    const { child, end } = begin();
    const [start = Buffer.alloc(0), , rest = Buffer.alloc(0)] = pack(KIND.waits, {}, Buffer.alloc(200_000, "{"));
    Buffer.from(start.buffer, start.byteOffset).writeUInt32BE(rest.byteLength, 1);
    child.sayBytes(Buffer.concat([start, rest])); // would not be JSON
    expect((await end).head.code).toBe("TOO_LARGE");
  });

  it("is taken up to the limits of payload and logs", async () => {
    const { child, end } = begin();
    child.say(KIND.call, { method: "tools.call", step: 0 }, `"${"x".repeat(100 + 65_536 - 2)}"`);
    child.say(KIND.waits, { logs: Array.from({ length: 21 }, () => ({ level: "debug", text: "" })) });
    const message = "\u0001".repeat(8_000);
    child.say(KIND.done, { ...END, code: "CODE_THREW", message, detail: message, errorName: "\u0001".repeat(200) });
    expect((await end).head).toMatchObject({ code: "CODE_THREW", message });
  });

  it("may be a code of ours, and no other", async () => {
    for (const [said, kept] of [
      ["RATE_LIMITED", "RATE_LIMITED"],
      ["constructor", undefined],
      ["ENOENT", undefined],
    ]) {
      // prettier-ignore
      const { child, end } = begin();
      child.say(KIND.done, { ...END, code: "CODE_THREW", message: "no", errorCode: said });
      expect((await end).head).toMatchObject({ code: "CODE_THREW", message: "no" });
      expect((await end).head.errorCode).toBe(kept);
    }
  });

  it("ends when it does not read its answers, and is not answered then", async () => {
    for (const [backlog, isHeard] of [
      [64 * 1024 * 1024, true],
      [64 * 1024 * 1024 + 1, false],
    ] as const) {
      const { child, end, member } = begin({ call: async () => 1 });
      const replies = () => child.received.filter(({ kind }) => kind === KIND.reply).length;
      child.setBacklog(backlog);
      child.say(...call(0));
      if (isHeard) {
        await expect.poll(replies).toBe(1);
        child.say(KIND.done, END, "1");
        expect((await end).resultJson).toBe("1");
      } else {
        expect((await end).head).toMatchObject({
          code: "TOO_LARGE",
          message: expect.stringContaining("does not read its answers") as string,
        });
        expect(replies()).toBe(0);
        expect(child.isKilled).toBe(true);
      }
      expect(member.isSound).toBe(isHeard);
    }
  });

  it("counts all calls, also those that were answered [engine-child-not-believed]", async () => {
    const { child, end } = begin({ call: async () => 1 });
    for (let i = 0; i < 3; i++) {
      child.say(...call(i));
      await expect.poll(() => child.received.filter(({ kind }) => kind === KIND.reply).length).toBe(i + 1);
    }
    child.say(...call(3));
    expect((await end).head.code).toBe("TOO_LARGE");
  });

  it("is not heard after the end, and makes no calls then", async () => {
    const called: string[] = [];
    const { child, end } = begin({ call: async (method) => called.push(method) });
    child.say(KIND.done, END, "1");
    child.say(...call(0));
    child.say(KIND.done, END, "2");
    expect((await end).resultJson).toBe("1");
    expect(called).toEqual([]);
  });

  it("cannot outlive its deadline", async () => {
    const { child, end, deadline, member } = begin();
    deadline.end("client");
    expect((await end).head.code).toBe("ENDED");
    expect(child.isKilled).toBe(true);
    expect(member.isSound).toBe(false);
  });
});
