import { describe, expect, it } from "vitest";
import type { ToolResult } from "../core/item.ts";
import { Paused } from "../core/pause.ts";
import { RemoteError } from "../core/remote-error.ts";
import type { CallIo } from "../core/source.ts";
import type { CallsOptions } from "./create-calls.ts";
import { line, QUIET, text, type Handler } from "./fixtures/line.ts";

describe("what another server answers", () => {
  const rpc = { code: -32_042, message: "sign in first", data: { url: "https://x" } };

  it("goes on as it came when it is an error, through inner calls too, and is recorded as a failure", async () => {
    const { tool, records } = line({
      outer: async (_args, ctx) => ctx.callTool("inner", {}),
      inner: () => Promise.reject(new RemoteError("files", rpc)),
    });
    await expect(tool("outer")).rejects.toMatchObject({ rpc });
    expect(records.map(({ name, outcome, code, message }) => [name, outcome, code, message])).toEqual([
      ["inner", "failed", "UPSTREAM_ERROR", "sign in first"],
      ["outer", "failed", "UPSTREAM_ERROR", "sign in first"],
    ]);
  });

  it("is never taken for an end of ours, whatever its members are called", async () => {
    const hostile = { state: "paused", asks: { x: { method: "roots/list" } }, content: null, isError: true };
    const { tool } = line({ hostile: async () => hostile as unknown as ToolResult });
    expect(await tool("hostile")).toEqual({ state: "failed", code: "CODE_THREW", result: hostile });
  });
});

it("tells of the progress of a call that is handed on, and of no other inner call", async () => {
  const progress: unknown[] = [];
  const { tool } = line(
    {
      handsOn: async (_args, ctx) => ctx.callTool("inner", {}, { isHandedOn: true }),
      uses: async (_args, ctx) => ctx.callTool("inner", {}),
      inner: async (_args, { io }) => (io.progress(1, 2, "half"), text("")),
    },
    { io: { ...QUIET, progress: (...each) => void progress.push(each) } },
  );
  await tool("uses");
  expect(progress).toEqual([]);
  await tool("handsOn");
  expect(progress).toEqual([[1, 2, "half"]]);
});

describe("a large answer", () => {
  const about = { outputSchema: { type: "object" } };
  const shorten: CallsOptions["shorten"] = async (result, { caller, tool, hasOutputSchema }) =>
    JSON.stringify(result).length < 60 ? result : text(`${tool} for ${caller.principal.id}: ${hasOutputSchema}`);
  const large = text("x".repeat(100));

  it("is made small for a model, also when it is a failure", async () => {
    const { tool } = line(
      { good: async () => large, bad: async () => ({ ...large, isError: true }) },
      { shorten, about },
    );
    expect(await tool("good")).toEqual({ state: "done", result: text("good for local: true") });
    expect(await tool("bad")).toEqual({ state: "failed", code: "CODE_THREW", result: text("bad for local: true") });
  });

  it("reaches a program whole [results-whole]", async () => {
    const { tool } = line(
      {
        outer: async (_args, ctx) => text(String((await ctx.callTool("inner", {})) === large)),
        inner: async () => large,
      },
      { shorten },
    );
    expect(await tool("outer")).toMatchObject({ result: text("true") });
  });
});

describe("a resource that no list shows", () => {
  it("is read by the Source that claims it, all of one Source at one rate", async () => {
    const { call, records } = line(
      {},
      {
        perWindow: 2,
        source: {
          claims: (uri, caller) => (uri.startsWith("x://") ? `claimed by ${caller.principal.id}` : undefined),
          run: async (target) => ({ contents: [{ uri: "x", text: JSON.stringify(target) }] }),
        },
      },
    );
    const target = { kind: "resource", id: "claimed by local", uri: "x://1" };
    expect(await call({ kind: "resource", uri: "x://1" })).toEqual({
      state: "done",
      result: { contents: [{ uri: "x", text: JSON.stringify(target) }] },
    });
    await call({ kind: "resource", uri: "x://2" });
    await expect(call({ kind: "resource", uri: "x://3" })).rejects.toMatchObject({ code: "RATE_LIMITED" });
    await expect(call({ kind: "resource", uri: "y://1" })).rejects.toMatchObject({ code: "RESOURCE_NOT_FOUND" });
    expect(records.map(({ name }) => name)).toEqual(["x://1", "x://2", "x://3", "y://1"]);
  });
});

describe("a call that pauses with a state", () => {
  /** A client of 2026-07-28: the first time it is asked, the call ends; then it comes back with what it was given. */
  const asking = (resumed?: CallIo["resumed"]): CallIo => ({
    ...QUIET,
    resumed,
    logLevel: "debug",
    ask: (asks, state) => Promise.reject(new Paused(asks, state)),
  });
  const relay: Handler = async (args, ctx) => {
    if (!ctx.io.resumed) await ctx.io.ask({ name: { method: "roots/list" } }, `state of ${String(args["n"])}`);
    return text(JSON.stringify(ctx.io.resumed ?? null));
  };

  it("ends with it, and goes on from it", async () => {
    const paused = line({ relay }, { io: asking() });
    expect(await paused.tool("relay", { n: 1 })).toEqual({
      state: "paused",
      asks: { name: { method: "roots/list" } },
      resume: "state of 1",
    });
    expect(paused.records[0]).toMatchObject({ outcome: "paused" });
    const resumed = { state: "state of 1", answers: { name: { roots: [] } } };
    expect(await line({ relay }, { io: asking(resumed) }).tool("relay")).toMatchObject({
      result: text(JSON.stringify(resumed)),
    });
  });

  it("hands the state back to the one inner call that paused", async () => {
    const levels: unknown[] = [];
    const handlers: Record<string, Handler> = {
      outer: async (_args, ctx) => {
        await ctx.callTool("plain", {});
        return ctx.callTool("relay", { n: 2 });
      },
      plain: async (_args, ctx) => {
        levels.push(ctx.io.logLevel, ctx.io.resumed);
        return text("");
      },
      relay,
    };
    const end = await line(handlers, { io: asking() }).tool("outer");
    expect(end).toMatchObject({ asks: { "1/name": { method: "roots/list" } }, resume: "1/state of 2" });
    const io = asking({ state: "1/state of 2", answers: { "1/name": { roots: [] }, "0/name": {} } });
    expect(await line(handlers, { io }).tool("outer")).toMatchObject({
      result: text(JSON.stringify({ state: "state of 2", answers: { name: { roots: [] } } })),
    });
    expect(levels).toEqual(["debug", undefined, "debug", undefined]);
  });
});
