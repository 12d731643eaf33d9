import { afterEach, describe, expect, it } from "vitest";
import { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { ToolResult } from "../core/item.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { Paused } from "../core/pause.ts";
import { failedResult, structured, textContent } from "../core/results.ts";
import type { EgressRequest } from "../machine/net/egress.ts";
import { createHostCalls, type HostCallsOptions } from "./host-calls.ts";

const deadlines: Deadline[] = [];
afterEach(() => {
  for (const deadline of deadlines.splice(0)) deadline.close();
});

interface Given {
  tool?: Partial<HostCallsOptions["tool"]>;
  callTool?: (name: string, args: JsonObject) => Promise<ToolResult>;
  secrets?: Record<string, string>;
}

function open({ tool, callTool, secrets = {} }: Given = {}) {
  const deadline = new Deadline(10_000);
  deadlines.push(deadline);
  const seen = { calls: [] as [string, JsonObject][], fetched: [] as [EgressRequest, readonly string[], Deadline][], secrets: [] as string[] }; // prettier-ignore
  const host = createHostCalls({
    ctx: {
      deadline,
      async callTool(name, args) {
        seen.calls.push([name, args]);
        return (await callTool?.(name, args)) ?? structured("said", { name });
      },
    },
    egress: {
      async fetch(request, allowed, until) {
        seen.fetched.push([request, allowed, until]);
        return { status: 200, statusText: "OK", url: request.url, redirected: false, headers: [["a", "b"]], body: Buffer.from([0, 255]) }; // prettier-ignore
      },
    },
    secrets: {
      async get(name) {
        const value = secrets[name];
        if (value === undefined) throw new DynamicMcpError("SECRET_REFUSED", "no");
        return value;
      },
    },
    tool: { name: "mine", network: [], secrets: [], uses: [], ...tool },
    onSecret: (value) => seen.secrets.push(value),
  });
  return { host, seen, deadline, call: (method: string, payload: Json) => host.call(method, payload, 0) };
}

const data = (text: string) => JSON.parse(text) as JsonObject;

describe("tools.call", () => {
  it.each([
    ["text.upper", "text.upper"],
    ["text.upper", "text_upper"],
    ["text_upper", "text.upper"],
    ["text.*", "text.upper"],
    ["text.*", "text_upper"],
    ["*", "anything"],
    ["github__*", "github__list_issues"],
  ])("reaches what `uses` names, in either spelling: %s, %s", async (pattern, name) => {
    const { call, seen } = open({ tool: { uses: ["other", pattern] } });
    expect(await call("tools.call", { name, args: { a: 1 } })).toEqual({ name });
    expect(seen.calls).toEqual([[name, { a: 1 }]]);
  });

  it.each([
    [[], "text.upper"],
    [["text.upper"], "text.upper2"],
    [["text.*"], "other.text.upper"],
    [["text*upper"], "text.lower"],
  ])("reaches nothing else: %j, %s", async (uses, name) => {
    const { call, seen } = open({ tool: { uses } });
    await expect(call("tools.call", { name, args: {} })).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(seen.calls).toEqual([]);
  });

  it("gives the data of a result, else its text", async () => {
    const answer = async (result: ToolResult) => open({ tool: { uses: ["*"] }, callTool: async () => result }).call("tools.call", { name: "x" }); // prettier-ignore
    expect(await answer(structured("words", { n: 1 }))).toEqual({ n: 1 });
    expect(await answer({ content: [textContent("a"), textContent("b")] })).toBe("a\nb");
    expect(await answer({ content: [textContent("a"), { type: "image", data: "x", mimeType: "image/png" }] })).toBe("a\n[image]"); // prettier-ignore
    expect(await answer({ content: [] })).toBe("");
  });

  it("rejects with the code and words of a result that is an error", async () => {
    const { call } = open({ tool: { uses: ["*"] }, callTool: async () => failedResult("TIMEOUT", "too slow", { n: 1 }) }); // prettier-ignore
    await expect(call("tools.call", { name: "x" })).rejects.toMatchObject({ code: "TIMEOUT", message: "too slow", data: { n: 1 } }); // prettier-ignore
    const plain = open({ tool: { uses: ["*"] }, callTool: async () => ({ content: [], isError: true }) });
    await expect(plain.call("tools.call", { name: "x" })).rejects.toMatchObject({ code: "CODE_THREW" });
  });

  it("hands on what the line refuses, and cannot wait for a person", async () => {
    const refusing = (refusal: Error) => open({ tool: { uses: ["*"] }, callTool: () => Promise.reject(refusal) }).call("tools.call", { name: "x" }); // prettier-ignore
    await expect(refusing(new DynamicMcpError("TOO_DEEP", "deep"))).rejects.toMatchObject({ code: "TOO_DEEP" });
    await expect(refusing(new Paused({}))).rejects.toMatchObject({ code: "CAPABILITY_MISSING" });
  });
});

describe("fetch", () => {
  it("goes out with the hosts that the tool names, and comes back as text", async () => {
    const { call, seen } = open({ tool: { network: ["a.test"] } });
    const payload = { url: "https://a.test/", method: "POST", headers: [["x", "1"]], body: "AP8=", redirect: "manual" };
    expect(await call("fetch", payload)).toEqual({
      status: 200,
      statusText: "OK",
      url: "https://a.test/",
      redirected: false,
      headers: [["a", "b"]],
      body: "AP8=",
    });
    const [request, allowed] = seen.fetched[0] ?? [];
    expect(request).toEqual({ ...payload, headers: [["x", "1"]], body: Buffer.from([0, 255]) });
    expect(allowed).toEqual(["a.test"]);
  });

  it.each([
    "{}",
    '{"url":1}',
    '{"__proto__":{"url":"https://a.test/"}}',
    `{"url":"https://a.test/${"x".repeat(20_000)}"}`,
    '{"url":"https://a.test/","method":1}',
    '{"url":"https://a.test/","headers":{"x":"1"}}',
    '{"url":"https://a.test/","headers":[["x"]]}',
    '{"url":"https://a.test/","headers":[["x",1]]}',
    '{"url":"https://a.test/","headers":[["x","1","2"]]}',
    '{"url":"https://a.test/","body":"no base64!"}',
    '{"url":"https://a.test/","body":"AP8"}',
    '{"url":"https://a.test/","body":{"length":4}}',
    '{"url":"https://a.test/","redirect":"away"}',
  ])("takes no malformed request: %.60s", async (payload) => {
    const { call, seen } = open({ tool: { network: ["*"] } });
    await expect(call("fetch", data(payload))).rejects.toMatchObject({ code: "INVALID_ARGUMENTS" });
    expect(seen.fetched).toEqual([]);
  });

  it("runs six at once and the others after them", async () => {
    const finishes = new Set<() => void>();
    const order: string[] = [];
    const deadline = new Deadline(10_000);
    deadlines.push(deadline);
    const host = createHostCalls({
      ctx: { deadline, callTool: () => Promise.reject(new Error("not here")) },
      egress: {
        async fetch({ url }) {
          order.push(url);
          await new Promise<void>((resolve) => finishes.add(resolve));
          if (url === "1") throw new DynamicMcpError("FETCH_FAILED", "no");
          return { status: 200, statusText: "", url, redirected: false, headers: [], body: new Uint8Array() };
        },
      },
      secrets: { get: () => Promise.reject(new Error("not here")) },
      tool: { name: "mine", network: ["*"], secrets: [], uses: [] },
      onSecret() {},
    });
    const all = Promise.allSettled(Array.from({ length: 14 }, (_, n) => host.call("fetch", { url: String(n) }, n)));
    for (const wave of [6, 12, 14]) {
      await expect.poll(() => order.length).toBe(wave);
      for (const finish of finishes) finish();
      finishes.clear();
    }
    expect((await all).map(({ status }) => status === "fulfilled")).toEqual(Array.from({ length: 14 }, (_, n) => n !== 1)); // prettier-ignore
    expect(order).toEqual(Array.from({ length: 14 }, (_, n) => String(n)));
  });

  it("ends with the job, though its call goes on", async () => {
    const { host, call, seen, deadline } = open({ tool: { network: ["*"] } });
    await call("fetch", { url: "https://a.test/" });
    host.end();
    host.end();
    expect(seen.fetched[0]?.[2].reason).toBe("parent");
    expect(deadline.reason).toBeUndefined();
    await expect(call("fetch", { url: "https://a.test/" })).rejects.toMatchObject({ code: "PARENT_ENDED" });
  });
});

describe("secrets.get", () => {
  it("gives what the tool names and the operator allows, and tells of it first", async () => {
    const { call, seen } = open({ tool: { secrets: ["TOKEN"] }, secrets: { TOKEN: "s3cret", OTHER: "other" } });
    expect(await call("secrets.get", { name: "TOKEN" })).toBe("s3cret");
    expect(seen.secrets).toEqual(["s3cret"]);
    await expect(call("secrets.get", { name: "OTHER" })).rejects.toMatchObject({ code: "SECRET_REFUSED" });
    await expect(call("secrets.get", { name: "token" })).rejects.toMatchObject({ code: "SECRET_REFUSED" });
    await expect(call("secrets.get", { name: ["TOKEN"] })).rejects.toMatchObject({ code: "INVALID_ARGUMENTS" });
    expect(seen.secrets).toEqual(["s3cret"]);
  });

  it("is not passed on in JSON in JSON either", async () => {
    const q = 'pa"ss\\word';
    const { call, seen } = open({ tool: { secrets: ["TOKEN"], uses: ["*"] }, secrets: { TOKEN: q } });
    const wrapped = [
      { message: q },
      { message: JSON.stringify({ q }) },
      { message: JSON.stringify({ a: JSON.stringify({ q }) }) },
    ];
    for (const args of wrapped) await call("tools.call", { name: "x", args });
    await call("secrets.get", { name: "TOKEN" });
    for (const args of wrapped) await expect(call("tools.call", { name: "x", args })).rejects.toMatchObject({ code: "SECRET_REFUSED" }); // prettier-ignore
    expect(seen.calls).toHaveLength(wrapped.length);
  });

  it("is not passed on when it was told after a call, nor when it is the second", async () => {
    const { call } = open({ tool: { secrets: ["A", "B"], uses: ["*"] }, secrets: { A: "first-1", B: "second-2" } });
    for (const [name, value] of [
      ["A", "first-1"],
      ["B", "second-2"],
    ] as const) {
      const args = { value };
      await call("tools.call", { name: "x", args });
      await call("secrets.get", { name });
      await expect(call("tools.call", { name: "x", args })).rejects.toMatchObject({ code: "SECRET_REFUSED" });
    }
    await expect(call("tools.call", { name: "x", args: { a: "first-1" } })).rejects.toMatchObject({ code: "SECRET_REFUSED" }); // prettier-ignore
  });

  it("says no when the operator does, whatever the tool names", async () => {
    const { call, seen } = open({ tool: { secrets: ["TOKEN"] } });
    await expect(call("secrets.get", { name: "TOKEN" })).rejects.toMatchObject({ code: "SECRET_REFUSED" });
    expect(seen.secrets).toEqual([]);
  });

  it("is not passed on to other tools, plain or encoded", async () => {
    const { call, seen } = open({ tool: { secrets: ["TOKEN"], uses: ["*"] }, secrets: { TOKEN: "s3cret/1" } });
    const args = { deep: [{ header: "Bearer s3cret/1" }] };
    await call("tools.call", { name: "x", args });
    await call("secrets.get", { name: "TOKEN" });
    for (const held of [
      args,
      { "s3cret/1": 1 },
      { u: "?t=s3cret%2F1" },
      { b: Buffer.from("s3cret/1").toString("base64") },
    ]) {
      // prettier-ignore
      await expect(call("tools.call", { name: "x", args: held })).rejects.toMatchObject({ code: "SECRET_REFUSED" });
    }
    // Names are written down, too, also of tools that do not exist.
    await expect(call("tools.call", { name: "s3cret/1" })).rejects.toMatchObject({ code: "SECRET_REFUSED" });
    await call("tools.call", { name: "x", args: { plain: "s3cre" } });
    expect(seen.calls).toHaveLength(2);
  });
});

describe("anything else", () => {
  it.each(["", "constructor", "__proto__", "tools", "fs.readFile", "toString"])("is not there: %j", async (method) => {
    await expect(open().call(method, {})).rejects.toMatchObject({ code: "CAPABILITY_MISSING" });
  });

  it.each([null, 1, "x", true, [], [{}]] as Json[])("is no payload: %j", async (payload) => {
    for (const method of ["tools.call", "fetch", "secrets.get"]) {
      await expect(open().call(method, payload)).rejects.toMatchObject({ code: "INVALID_ARGUMENTS" });
    }
  });
});
