import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exchange } from "./exchange.ts";
import { makeCertificate } from "./fixtures/certificate.ts";
import { createWeb, echo, type Web } from "./fixtures/web.ts";

let web: Web;
beforeEach(() => {
  web = createWeb();
});
afterEach(() => web.close());

describe("a connection", () => {
  it.each(["http", "https"])("that came out elsewhere than was checked is given up before anything is said: %s", async (scheme) => {
    let hits = 0;
    const certificate = makeCertificate(["a.test"]);
    const port = await web.serve(
      (request, response) => {
        hits++;
        echo(request, response);
      },
      scheme === "https" ? certificate : undefined,
    );
    const send = (mayConnect: boolean) =>
      exchange(
        {
          url: new URL(`${scheme}://a.test:${port}/`),
          method: "POST",
          headers: [],
          body: Buffer.from("x"),
          addresses: [{ address: "127.0.0.1", family: 4 }],
        },
        { mayConnect: () => mayConnect, trusted: [certificate.cert], idleMs: 5_000, signal: new AbortController().signal },
      );
    await expect(send(false)).rejects.toMatchObject({ code: "FETCH_REFUSED", data: { reason: "address" } });
    expect(hits).toBe(0);
    const answer = await send(true);
    answer.destroy();
    expect(hits).toBe(1);
  });
}); // prettier-ignore
