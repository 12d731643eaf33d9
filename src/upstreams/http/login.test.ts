import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { createWeb } from "../../machine/net/fixtures/web.ts";
import type { TokenSource } from "../upstream.ts";
import { type Given, openNew, type Talk } from "./fixtures/open-wire.ts";
import { challengeIn } from "./login.ts";

const web = createWeb();
const talks: Talk[] = [];

afterEach(async () => {
  await Promise.all(talks.splice(0).map((talk) => talk.close()));
  await web.close();
});

/** A server that takes one token. @returns what was sent, request by request */
async function open(
  good: string,
  given: Given & { user?: string },
  challenge = 'Bearer error="invalid_token"',
  status = 401,
) {
  const seen: (string | undefined)[] = [];
  const port = await web.serve((request: IncomingMessage, response: ServerResponse) => {
    seen.push(request.headers.authorization);
    request.resume();
    if (request.headers.authorization !== good) {
      response.writeHead(status, { "www-authenticate": challenge }).end("no");
      return;
    }
    response.setHeader("content-type", "application/json").end('{"jsonrpc":"2.0","id":1,"result":{}}');
  });
  const talk = await openNew(`http://${given.user ?? ""}127.0.0.1:${port}/mcp`, given);
  talks.push(talk);
  return { talk, seen };
}

/** Gives these tokens, one after another. */
function tokensOf(...tokens: (string | undefined)[]): TokenSource & { refusals: unknown[] } {
  const refusals: unknown[] = [];
  return {
    refusals,
    token: async () => tokens[Math.min(refusals.length, tokens.length - 1)],
    refused: async (token, challenge) => {
      refusals.push([token, challenge]);
      return refusals.length < tokens.length;
    },
  };
}

describe("a server that wants a token", () => {
  it("gets it, and a new one when the old one is refused", async () => {
    const tokens = tokensOf("old", "new");
    const { talk, seen } = await open("Bearer new", { tokens });
    expect(await talk.ask("tools/list")).toMatchObject({ result: {} });
    expect(seen).toEqual(["Bearer old", "Bearer new"]);
    expect(tokens.refusals).toEqual([["old", 'Bearer error="invalid_token"']]);
  });

  it("is asked no third time", async () => {
    const { talk, seen } = await open("Bearer right", { tokens: tokensOf("a", "b", "c") });
    await expect(talk.ask("tools/list")).rejects.toMatchObject({ code: "UPSTREAM_LOGIN" });
    expect(seen).toEqual(["Bearer a", "Bearer b"]);
  });

  it("gets what the operator wrote while there is no token", async () => {
    const { talk, seen } = await open("Bearer own", {
      headers: { authorization: "Bearer own" },
      tokens: tokensOf(undefined),
    });
    expect(await talk.ask("tools/list")).toMatchObject({ result: {} });
    expect(seen).toEqual(["Bearer own"]);
  });

  it.each([
    ["me:p%40ss@", "me:p@ss"],
    ["me:50%@", "me:50%"],
  ])("gets the name and password that are in its url: %s", async (user, pair) => {
    const { talk } = await open(`Basic ${btoa(pair)}`, { user });
    expect(await talk.ask("tools/list")).toMatchObject({ result: {} });
  });

  it("is reported with what it says, without the token", async () => {
    const challenge =
      'Bearer resource_metadata="https://a.example/meta", error="insufficient_scope", scope="read write"';
    const { talk } = await open("Bearer right", { headers: { authorization: "Bearer secret-one" } }, challenge, 403);
    const error = await talk.ask("tools/list").catch((each: unknown) => each as Error);
    expect(error).toMatchObject({
      code: "UPSTREAM_LOGIN",
      data: {
        status: 403,
        scheme: "Bearer",
        error: "insufficient_scope",
        scope: "read write",
        resourceMetadata: "https://a.example/meta",
      },
    });
    expect(JSON.stringify(error) + String(error)).not.toContain("secret-one");
  });

  it("at another origin gets none, by no redirect [servers-own-origin]", async () => {
    const seen: unknown[] = [];
    const other = await web.serve((request, response) => {
      seen.push(request.headers);
      response.end();
    });
    const port = await web.serve((_, response) =>
      response.writeHead(307, { location: `http://127.0.0.1:${other}/` }).end(),
    );
    const talk = await openNew(`http://127.0.0.1:${port}/mcp`, { tokens: tokensOf("secret") });
    talks.push(talk);
    await expect(talk.ask("tools/list")).rejects.toMatchObject({ code: "UPSTREAM_INVALID" });
    expect(seen).toEqual([]);
    // What the guard is for: that address is open to who follows.
    await fetch(`http://127.0.0.1:${port}/`, { headers: { "x-token": "secret" } });
    expect(seen).toMatchObject([{ "x-token": "secret" }]);
  });
});

describe("a challenge", () => {
  it("is read by its first words, whatever comes after", () => {
    expect(challengeIn('Bearer realm="a \\"b\\"", error=invalid_token, Basic realm="c", error="other"')).toMatchObject({
      scheme: "Bearer",
      error: "invalid_token",
    });
    expect(challengeIn(undefined)).toMatchObject({ scheme: undefined, error: undefined });
  });
});
