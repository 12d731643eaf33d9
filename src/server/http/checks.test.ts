import { describe, expect, it } from "vitest";
import { checkParamHeaders, createGate, decodeHeader, readAccept } from "./checks.ts";

describe("headers of arguments", () => {
  const wanted = [
    { path: ["region"], header: "region", isNumber: false },
    { path: ["inner", "count"], header: "count", isNumber: true },
  ];
  const check = (headers: Record<string, string>, args: object) => () =>
    checkParamHeaders((name) => headers[name], wanted, args as never);

  it.each([
    ["the same text", { "mcp-param-region": "eu" }, { region: "eu" }],
    ["the same number in another spelling", { "mcp-param-count": "42.0" }, { inner: { count: 42 } }],
    ["base64 of the same text", { "mcp-param-region": "=?base64?Z3LDvG4=?=" }, { region: "grün" }],
    ["what begins like base64 and is not", { "mcp-param-region": "=?base64?x" }, { region: "=?base64?x" }],
    ["nothing, when the body has nothing", {}, { region: null }],
    ["a header too many", { "mcp-param-region": "eu" }, {}],
  ])("take %s", (_what, headers, args) => {
    expect(check(headers, args)).not.toThrow();
  });

  it.each([
    ["another text", { "mcp-param-region": "us" }, { region: "eu" }],
    ["nothing, when the body has something", {}, { region: "eu" }],
    ["base64 with a wrong end", { "mcp-param-region": "=?base64?ZXU?=" }, { region: "eu" }],
    ["base64 that is no UTF-8", { "mcp-param-region": "=?base64?/w==?=" }, { region: "\ufffd" }],
    ["another number", { "mcp-param-count": "0x2a" }, { inner: { count: 42 } }],
  ])("refuse %s with -32020", (_what, headers, args) => {
    expect(check(headers, args)).toThrow(expect.objectContaining({ number: -32020, status: 400 }));
  });

  it("decode only what is wrapped", () => {
    expect([decodeHeader("plain"), decodeHeader("=?base64?aGk=?="), decodeHeader("=?base64?!!?=")]).toEqual(["plain", "hi", undefined]); // prettier-ignore
  });
});

describe("the gate", () => {
  it("takes loopback names on a loopback address, whatever the port [mcp-rebinding]", () => {
    const { refusal } = createGate("127.0.0.1", [], []);
    for (const host of ["localhost", "LOCALHOST:1", "127.0.0.1:8788", "[::1]:9"])
      expect(refusal(host, undefined)).toBeUndefined();
    for (const host of [
      undefined,
      "",
      "example.com",
      "127.0.0.1.example.com",
      "localhost@evil.example",
      "0.0.0.0",
      "user@localhost:1",
      "localhost/x",
      "localhost?x",
      "local\thost",
    ]) {
      expect(refusal(host, undefined)).toBeDefined();
    }
  });

  it.each(["LOCALHOST", "127.0.0.2", "box.localhost", "[::1]"])(
    "guards %s as the loopback address that it is",
    (host) => {
      const { refusal } = createGate(host, [], []);
      expect(refusal("evil.example", undefined)).toBeDefined();
      expect(refusal(`${host}:8788`, "http://localhost:3000")).toBeUndefined();
      expect(refusal(`${host}:8788`, "http://evil.example")).toBeDefined();
    },
  );

  it("takes the names that the operator gave, besides loopback's own", () => {
    const { refusal } = createGate("127.0.0.1", ["box.lan"], ["https://App.example.com/"]);
    expect(refusal("box.lan:80", undefined)).toBeUndefined();
    expect(refusal("localhost", "https://app.example.com")).toBeUndefined();
    expect(refusal("localhost", "http://app.example.com")).toBeDefined();
    expect(refusal("localhost", "moz-extension://localhost")).toBeDefined();
  });

  it("leaves the Host to whoever is in front when it listens elsewhere and was told nothing", () => {
    const { refusal } = createGate("0.0.0.0", [], []);
    expect(refusal("anything.example.com", undefined)).toBeUndefined();
    expect(refusal("anything.example.com", "http://localhost:3000")).toBeDefined();
    expect(createGate("0.0.0.0", ["mcp.example.com"], []).refusal("evil.example.com", undefined)).toBeDefined();
  });
});

it("reads what an Accept header takes", () => {
  expect(readAccept(undefined)).toEqual({ json: true, sse: true });
  expect(readAccept("application/json;q=0.9, text/event-stream")).toEqual({ json: true, sse: true });
  expect(readAccept("Application/JSON")).toEqual({ json: true, sse: false });
  expect(readAccept("text/html")).toEqual({ json: false, sse: false });
});
