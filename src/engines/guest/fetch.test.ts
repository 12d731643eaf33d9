import { assert, property, uint8Array } from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBase64, toBase64 } from "./base64.ts";
import { makeFetch } from "./fetch.ts";
import { makeSecrets } from "./secrets.ts";

/** The part of these that code in sandboxes relies on; here with Node's own URL and text coding. */
interface Reply {
  status: number;
  statusText: string;
  ok: boolean;
  url: string;
  redirected: boolean;
  bodyUsed: boolean;
  headers: InstanceType<ReturnType<typeof open>["Headers"]>;
  text(): Promise<string>;
  json(): Promise<unknown>;
  bytes(): Promise<Uint8Array>;
  arrayBuffer(): Promise<ArrayBuffer>;
  clone(): Reply;
}

const ANSWER = { status: 200, statusText: "OK", url: "https://a.test/", redirected: false, headers: [["Content-Type", "text/plain"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]], body: Buffer.from("h\u00e9llo").toString("base64") }; // prettier-ignore

const text = { encode: (value: string) => new TextEncoder().encode(value), decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes) }; // prettier-ignore

function open(answer: object = ANSWER) {
  const asked: { method: string; payload: Record<string, unknown> }[] = [];
  const hostCall = async (method: string, payload: unknown) => {
    asked.push({ method, payload: payload as Record<string, unknown> });
    return { ...ANSWER, ...answer };
  };
  const globals = makeFetch({ hostCall, text, URL, URLSearchParams });
  return { ...globals, asked, fetch: (...args: [unknown, unknown?]) => globals.fetch(...args) as Promise<Reply> };
}

describe("fetch of a sandbox", () => {
  it("asks with the plainest request there is", async () => {
    const { fetch, asked } = open();
    await fetch("https://A.test/x y#z");
    await fetch(new URL("https://a.test/"), {});
    expect(asked).toEqual([
      { method: "fetch", payload: { url: "https://a.test/x%20y#z", method: "GET", headers: [] } },
      { method: "fetch", payload: { url: "https://a.test/", method: "GET", headers: [] } },
    ]);
  });

  it.each([
    ["text", "h\u00e9", "text/plain;charset=UTF-8", "h\u00e9"],
    ["a form", new URLSearchParams({ a: "b c" }), "application/x-www-form-urlencoded;charset=UTF-8", "a=b+c"],
    ["bytes", new Uint8Array([104, 105]), undefined, "hi"],
    ["a part of bytes", new Uint8Array([0, 104, 105, 0]).subarray(1, 3), undefined, "hi"],
    ["a buffer", new Uint8Array([104, 105]).buffer, undefined, "hi"],
    ["nothing at all", "", "text/plain;charset=UTF-8", ""],
  ])("sends %s", async (_, body, type, sent) => {
    const { fetch, asked } = open();
    await fetch("https://a.test", { method: "post", body });
    const payload = asked[0]?.payload ?? {};
    expect(payload["method"]).toBe("POST");
    expect(payload["headers"]).toEqual(type === undefined ? [] : [["content-type", type]]);
    expect(Buffer.from(String(payload["body"]), "base64").toString()).toBe(sent);
  });

  it("takes headers in every form, and a content type that is given", async () => {
    const { fetch, asked, Headers } = open();
    for (const headers of [
      { "X-A": "1", "Content-Type": "a/b" },
      [
        ["x-a", 1],
        ["content-type", " a/b "],
      ],
      new Headers([
        ["X-A", "1"],
        ["Content-Type", "a/b"],
      ]),
    ]) {
      // prettier-ignore
      await fetch("https://a.test", { method: "PUT", headers, body: "x" });
    }
    for (const { payload } of asked) expect(payload["headers"]).toEqual([["content-type", "a/b"], ["x-a", "1"]]); // prettier-ignore
  });

  it("passes over what is about browsers", async () => {
    const { fetch, asked } = open();
    await fetch("https://a.test", { mode: "cors", credentials: "include", cache: "no-store", keepalive: true });
    expect(asked[0]?.payload).toEqual({ url: "https://a.test/", method: "GET", headers: [] });
  });

  it.each([
    ["not a url", {}],
    ["/relative", {}],
    [undefined, {}],
    ["https://a.test", "GET"],
    ["https://a.test", { body: "x" }],
    ["https://a.test", { method: "HEAD", body: "x" }],
    ["https://a.test", { method: "POST", body: { a: 1 } }],
    ["https://a.test", { redirect: "away" }],
    ["https://a.test", { headers: { "a b": "1" } }],
    ["https://a.test", { headers: { a: "1\r\nb: 2" } }],
    ["https://a.test", { headers: { a: "\u0100" } }],
    ["https://a.test", { headers: [["a"]] }],
    ["https://a.test", { headers: "a: b" }],
  ])("throws a TypeError for what is no request, and asks nothing: %j %j", async (url, init) => {
    const { fetch, asked } = open();
    await expect(fetch(url, init)).rejects.toBeInstanceOf(TypeError);
    expect(asked).toEqual([]);
  });

  it("rejects with the signal's reason, before and while it waits", async () => {
    const { fetch, asked } = open();
    const early = AbortSignal.abort(new Error("early"));
    await expect(fetch("https://a.test", { signal: early })).rejects.toThrow("early");
    expect(asked).toEqual([]);
    const controller = new AbortController();
    const waiting = makeFetch({ hostCall: () => new Promise(() => {}), text: { encode: () => new Uint8Array(), decode: () => "" }, URL, URLSearchParams }); // prettier-ignore
    const fetching = waiting.fetch("https://a.test", { signal: controller.signal });
    controller.abort(new Error("late"));
    await expect(fetching).rejects.toThrow("late");
  });
});

describe("an answer", () => {
  it("tells what came", async () => {
    const response = await open({ status: 404, statusText: "Not Found", redirected: true }).fetch("https://a.test");
    expect(response).toMatchObject({ status: 404, statusText: "Not Found", ok: false, redirected: true, url: ANSWER.url }); // prettier-ignore
    expect([response.headers.get("content-TYPE"), response.headers.get("none"), response.headers.has("Set-Cookie")]).toEqual(["text/plain", null, true]); // prettier-ignore
    expect([...response.headers]).toEqual([["content-type", "text/plain"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]]); // prettier-ignore
    expect([response.headers.get("set-cookie"), response.headers.getSetCookie()]).toEqual(["a=1, b=2", ["a=1", "b=2"]]); // prettier-ignore
  });

  it("is read once, in one of four ways; a clone once more", async () => {
    const { fetch } = open({ body: Buffer.from('{"a":1}').toString("base64") });
    const response = await fetch("https://a.test");
    const copy = response.clone();
    expect([response.ok, response.bodyUsed]).toEqual([true, false]);
    expect(await response.json()).toEqual({ a: 1 });
    expect(response.bodyUsed).toBe(true);
    for (const read of [() => response.text(), () => response.json(), () => response.bytes(), () => response.arrayBuffer()]) await expect(read()).rejects.toBeInstanceOf(TypeError); // prettier-ignore
    expect(() => response.clone()).toThrow(TypeError);
    expect([copy.url, copy.headers.get("content-type"), await copy.text()]).toEqual([ANSWER.url, "text/plain", '{"a":1}']); // prettier-ignore
    expect([...(await (await fetch("https://a.test")).bytes())]).toEqual([...Buffer.from('{"a":1}')]);
    expect((await (await fetch("https://a.test")).arrayBuffer()).byteLength).toBe(7);
    expect(await (await open().fetch("https://a.test")).text()).toBe("h\u00e9llo");
    await expect((await open().fetch("https://a.test")).json()).rejects.toBeInstanceOf(SyntaxError);
  });

  it("can be made by hand", async () => {
    const { Response } = open();
    const made = new Response("hi", { status: 201, headers: { a: "b" } }) as Reply;
    expect([made.status, made.ok, made.headers.get("a"), made.headers.get("content-type"), await made.text()]).toEqual([201, true, "b", "text/plain;charset=UTF-8", "hi"]); // prettier-ignore
    expect(await (new Response() as Reply).text()).toBe("");
    const json = Response.json({ a: 1 }) as Reply;
    expect([json.headers.get("content-type"), await json.json()]).toEqual(["application/json", { a: 1 }]);
    expect(() => new Response("", { status: 99 })).toThrow(RangeError);
  });
});

describe("headers by hand", () => {
  it("can be changed, and walk in the order of their names", () => {
    const headers = new (open().Headers)({ b: "2", A: "1" });
    headers.append("a", "3");
    headers.set("c", "4");
    headers.set("B", "5");
    headers.delete("C");
    const seen: string[] = [];
    headers.forEach((value, name) => seen.push(`${name}=${value}`));
    expect(seen).toEqual(["a=1, 3", "b=5"]);
    expect([[...headers.keys()], [...headers.values()]]).toEqual([["a", "b"], ["1, 3", "5"]]); // prettier-ignore
  });
});

describe("base64", () => {
  it("is what Node makes of it, both ways", () => {
    assert(
      property(uint8Array({ maxLength: 100 }), (bytes) => {
        const base64 = Buffer.from(bytes).toString("base64");
        expect(toBase64(bytes, text)).toBe(base64);
        expect(fromBase64(base64, text)).toEqual(new Uint8Array(bytes));
      }),
    );
    const large = new Uint8Array(100_001).map((_, n) => n % 251);
    expect(fromBase64(toBase64(large, text), text)).toEqual(large);
  });
});

describe("secrets of a sandbox", () => {
  it("are asked for by name", async () => {
    const secrets = makeSecrets(async (method, payload) => [method, payload]) as { get(name: unknown): Promise<unknown> }; // prettier-ignore
    expect(await secrets.get("TOKEN")).toEqual(["secrets.get", { name: "TOKEN" }]);
    await expect(secrets.get(1)).rejects.toBeInstanceOf(TypeError);
  });
});
