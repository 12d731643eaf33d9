import { describe, expect, it } from "vitest";
import { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import { Paused } from "../core/pause.ts";
import type { CallIo } from "../core/source.ts";
import { line, QUIET, text, type Handler } from "./fixtures/line.ts";

/** Ends only when it is told to. */
const untilTold: Handler = (_args, ctx) =>
  new Promise((_resolve, reject) => {
    ctx.deadline.signal.addEventListener("abort", () => reject(ctx.deadline.error()), { once: true });
  });

describe("a call that works", () => {
  it("gives the tool's own result and one record", async () => {
    const { tool, records } = line({
      "text.upper": async ({ text: value }) => text(JSON.stringify(value).toUpperCase()),
    });
    const end = await tool("text_upper", { text: "hi" });
    expect(end).toEqual({ state: "done", result: text('"HI"') });
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      id: "call-1",
      requestId: "r1",
      principal: "local",
      channel: "c1",
      kind: "tool",
      name: "text.upper",
      source: "test",
      item: "text.upper",
      revision: 1,
      outcome: "done",
    });
  });
});

describe("a result", () => {
  const about = { outputSchema: { type: "object" } };
  const resultProblems = [{ path: "/n", message: "must be number, got nothing" }];

  it("that does not fit the output schema is a failure", async () => {
    const { tool, records } = line({ count: async () => text("{}") }, { about, resultProblems });
    expect(await tool("count")).toMatchObject({ state: "failed", code: "INVALID_RESULT", result: { isError: true } });
    expect(records[0]).toMatchObject({ outcome: "failed", code: "INVALID_RESULT" });
  });

  it("that is a failure already is not held against the schema", async () => {
    const failure = { ...text("no"), isError: true };
    const { tool } = line({ count: async () => failure }, { about, resultProblems });
    expect(await tool("count")).toEqual({ state: "failed", code: "CODE_THREW", result: failure });
  });
});

describe("a refused call", () => {
  it("is recorded and never runs, when the rate is used up [call-recorded]", async () => {
    let runs = 0;
    const { tool, records } = line(
      {
        echo: async () => {
          runs++;
          return text("");
        },
      },
      { perWindow: 1 },
    );
    await tool("echo");
    await expect(tool("echo")).rejects.toMatchObject({ code: "RATE_LIMITED" });
    expect(runs).toBe(1);
    expect(records.map(({ outcome, code }) => [outcome, code])).toEqual([
      ["done", undefined],
      ["refused", "RATE_LIMITED"],
    ]);
  });

  it("names the nearest tool when there is none of that name", async () => {
    const { tool, records } = line({ "weather.today": async () => text("") });
    await expect(tool("wether_today")).rejects.toMatchObject({
      code: "TOOL_NOT_FOUND",
      message: expect.stringContaining("weather_today"),
    });
    expect(records[0]).toMatchObject({ name: "wether_today", outcome: "refused", code: "TOOL_NOT_FOUND" });
  });

  it("is denied without the admin token, and told from the journal by it", async () => {
    const { tool, records } = line({ make: async (args) => text(JSON.stringify(args)) }, { about: { permission: "author" }, adminToken: "s3cret" }); // prettier-ignore
    await expect(tool("make", { a: 1 })).rejects.toMatchObject({ code: "FORBIDDEN" });
    await expect(tool("make", { a: 1, adminToken: "no" })).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(await tool("make", { a: 1, adminToken: "s3cret" })).toMatchObject({ result: text('{"a":1}') });
    expect(records.map(({ outcome }) => outcome)).toEqual(["denied", "denied", "done"]);
    expect(JSON.stringify(records)).not.toContain("s3cret");
  });
});

describe("a failed call", () => {
  it("answers bad arguments in words and never runs", async () => {
    const { tool, records } = line({ echo: async () => Promise.reject(new Error("must not run")) }, { problems: [{ path: "/text", message: "must be a string" }] }); // prettier-ignore
    const end = await tool("echo", { text: 1 });
    expect(end).toMatchObject({ state: "failed", code: "INVALID_ARGUMENTS", result: { isError: true } });
    expect(JSON.stringify(end)).toContain("/text must be a string");
    expect(records[0]).toMatchObject({ outcome: "failed", code: "INVALID_ARGUMENTS" });
  });

  it("gives what a tool refuses to the model, with its code", async () => {
    const { tool } = line({
      update: async () =>
        Promise.reject(new DynamicMcpError("REVISION_CONFLICT", "x is at 2", { data: { current: 2 } })),
    });
    expect(await tool("update")).toMatchObject({
      state: "failed",
      code: "REVISION_CONFLICT",
      result: {
        content: [{ type: "text", text: "x is at 2" }],
        isError: true,
        _meta: { "dynamic-mcp/error": { code: "REVISION_CONFLICT", retryable: true, data: { current: 2 } } },
      },
    });
  });

  it("hides a bug of ours from the client and keeps it apart in the journal", async () => {
    const { tool, records } = line({ broken: async () => Promise.reject(new TypeError("x is undefined")) });
    await expect(tool("broken")).rejects.toThrow(TypeError);
    expect(records[0]).toMatchObject({ outcome: "broken", code: "INTERNAL" });
    expect(records[0]).not.toHaveProperty("message");
  });
});

describe("calls within calls", () => {
  it("run in their parent's slot, so a limit of one does not deadlock [call-one-slot]", async () => {
    const { tool, guard, records } = line(
      {
        outer: async (_args, ctx) => ctx.callTool("inner", {}),
        inner: async () => text("from inside"),
      },
      { concurrency: 1 },
    );
    expect(await tool("outer")).toMatchObject({ state: "done", result: text("from inside") });
    expect(guard.counters().running).toBe(0);
    expect(records.map(({ name, parent }) => [name, parent])).toEqual([
      ["inner", "call-1"],
      ["outer", undefined],
    ]);
  });

  it("know how deep they are", async () => {
    const { tool } = line({
      outer: async (_args, ctx) => (await ctx.callTool("inner", {}), text(`outer ${ctx.depth}`)),
      inner: async (_args, ctx) => (depths.push(ctx.depth), text("inner")),
    });
    const depths: number[] = [];
    expect(await tool("outer")).toMatchObject({ result: text("outer 0") });
    expect(depths).toEqual([1]);
  });

  it("end when a tool calls itself without end", async () => {
    const { tool } = line({ loop: async (_args, ctx) => ctx.callTool("loop", {}) });
    expect(await tool("loop")).toMatchObject({ state: "failed", code: "TOO_DEEP" });
  });

  it("end with their parent", async () => {
    let innerEnd: unknown;
    const { tool } = line({
      outer: async (_args, ctx) => {
        void ctx.callTool("inner", {}).then((result) => (innerEnd = result._meta?.["dynamic-mcp/error"]));
        return text("did not wait");
      },
      inner: untilTold,
    });
    expect(await tool("outer")).toMatchObject({ state: "done" });
    await expect.poll(() => innerEnd).toMatchObject({ code: "PARENT_ENDED" });
  });

  it("tell the client's questions of two children apart", async () => {
    const asked: string[] = [];
    const io: CallIo = {
      ...QUIET,
      async ask(asks) {
        asked.push(...Object.keys(asks));
        return Object.fromEntries(Object.keys(asks).map((key) => [key, { key }]));
      },
    };
    const answers: unknown[] = [];
    const { tool } = line(
      {
        outer: async (_args, ctx) => {
          await ctx.callTool("inner", {});
          return ctx.callTool("inner", {});
        },
        inner: async (_args, ctx) => {
          answers.push(await ctx.io.ask({ name: { method: "roots/list" } }));
          return text("");
        },
      },
      { io },
    );
    await tool("outer");
    expect(asked).toEqual(["0/name", "1/name"]);
    expect(answers).toEqual([{ name: { key: "0/name" } }, { name: { key: "1/name" } }]);
  });
});

describe("the end of a call from outside", () => {
  it.each([
    ["client", "CANCELLED"],
    ["revoked", "FORBIDDEN"],
  ] as const)("by %s stops the run with %s", async (reason, code) => {
    const { tool } = line({ slow: untilTold });
    const deadline = new Deadline(60_000);
    const end = tool("slow", {}, deadline);
    deadline.end(reason);
    expect(await end).toMatchObject({ state: "failed", code });
  });

  it("by its deadline stops the run [call-deadline]", async () => {
    const { tool } = line({ slow: untilTold });
    expect(await tool("slow", {}, new Deadline(20))).toMatchObject({ state: "failed", code: "TIMEOUT" });
  });

  it("does not wait for a run that ignores it", async () => {
    const { tool, guard } = line({ deaf: () => new Promise(() => {}) });
    expect(await tool("deaf", {}, new Deadline(20))).toMatchObject({ state: "failed", code: "TIMEOUT" });
    expect(guard.counters().running).toBe(0);
  });

  it("by shutdown ends running calls after the grace and refuses new ones [call-shutdown]", async () => {
    const { tool, calls, records } = line({ slow: untilTold });
    const end = tool("slow", {}, new Deadline(60_000));
    await expect.poll(() => calls.running()).toBe(1);
    await calls.drain(20);
    expect(await end).toMatchObject({ state: "failed", code: "SHUTTING_DOWN" });
    await expect(tool("slow")).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
    expect(records.map(({ outcome }) => outcome)).toEqual(["failed", "refused"]);
  });
});

describe("a question to the client", () => {
  it("pauses the call when the answer can only come later", async () => {
    const asks = { name: { method: "elicitation/create" as const, params: { message: "Your name?" } } };
    const { tool, records } = line(
      { ask: async (_args, ctx) => text(JSON.stringify(await ctx.io.ask(asks))) },
      { io: { ...QUIET, ask: (asked) => Promise.reject(new Paused(asked)) } },
    );
    expect(await tool("ask")).toEqual({ state: "paused", asks });
    expect(records[0]).toMatchObject({ outcome: "paused" });
  });

  it("gives its slot and its clock back while a person thinks", async () => {
    let answer = () => {};
    const io: CallIo = { ...QUIET, ask: () => new Promise((resolve) => (answer = () => resolve({}))) };
    const { tool, guard } = line(
      {
        patient: async (_args, ctx) => {
          await ctx.io.ask({ q: { method: "roots/list" } });
          return text(`${ctx.deadline.remainingMs() > 0}`);
        },
      },
      { concurrency: 1, io },
    );
    const end = tool("patient", {}, new Deadline(80));
    await expect.poll(() => guard.counters().running).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 120)); // longer than the limit of the call
    answer();
    expect(await end).toMatchObject({ state: "done", result: text("true") });
  });
});
