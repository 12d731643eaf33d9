import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import { openWorld, type World } from "./fixtures/world.ts";
import { readRegistrySettings, type RegistrySettings } from "./npmrc.ts";
import { createSender, type Sender } from "./registry-request.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A registry that answers so, and one who asks it. */
async function open(
  answer: RequestListener,
  settings: Partial<RegistrySettings>,
): Promise<{ sender: Sender; url: URL }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a`);
  const sender = createSender({ ...(await readRegistrySettings([], {})), ...settings }, new AbortController().signal);
  closing.push(() => sender.close(), () => (server.closeAllConnections(), server.close())); // prettier-ignore
  return { sender, url };
}

const read = async (response: AsyncIterable<unknown>) => {
  let bytes = 0;
  for await (const chunk of response) bytes += (chunk as Buffer).byteLength;
  return bytes;
};
const AWAY = { code: "REGISTRY_UNAVAILABLE", message: expect.stringContaining("nothing came for") as string };

describe("a registry that says nothing", () => {
  it("has failed after twice the time of one request, also for those that wait for a connection", async () => {
    let asked = 0;
    const { sender, url } = await open(() => void asked++, { idleMs: 200 });
    const startedAt = performance.now();
    const all = Array.from({ length: 40 }, () => sender.send(url, {}, read));
    for (const { status, reason } of (await Promise.allSettled(all)) as PromiseRejectedResult[]) {
      expect(status).toBe("rejected");
      expect(reason).toMatchObject(AWAY);
    }
    expect(asked).toBeGreaterThanOrEqual(12);
    // One after the other they would have taken 40 / 12 * 2 * 200 ms.
    expect(performance.now() - startedAt).toBeLessThan(1_300);
  });

  it("has failed when its time as a whole is over, however patient npm is set", async () => {
    const { sender, url } = await open(() => {}, { idleMs: 300_000, retries: 5, maxSilenceMs: 200 });
    const startedAt = performance.now();
    await expect(sender.send(url, {}, read)).rejects.toMatchObject(AWAY);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it("in the middle of an answer has failed, too", async () => {
    const { sender, url } = await open((_, response) => void response.write("x"), { idleMs: 300_000, retries: 0, maxSilenceMs: 200 }); // prettier-ignore
    await expect(sender.send(url, {}, read)).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
  });

  it("for a while, but goes on, has all the time that it takes", async () => {
    const drip: RequestListener = (_, response) => {
      let left = 12;
      const timer = setInterval(() => {
        response.write("x");
        if (--left > 0) return;
        clearInterval(timer);
        response.end();
      }, 50);
    };
    const { sender, url } = await open(drip, { idleMs: 400, retries: 0, maxSilenceMs: 400 });
    const startedAt = performance.now();
    expect(await sender.send(url, {}, read)).toBe(12);
    expect(performance.now() - startedAt).toBeGreaterThan(400);
  });
});

describe("who waits for packages", () => {
  let world: World;
  const openPackages = async () => {
    world = await openWorld({ a: { "1.0.0": {} } }, { npmrc: "fetch-timeout=200\nfetch-retries=0" });
    closing.push(() => world.close());
    return world;
  };

  it("hears at once what is done", async () => {
    const { store } = await openPackages();
    const heard: string[] = [];
    const lock = await store.resolve([{ name: "a", version: "1" }], new Deadline(60_000), (text) => heard.push(text));
    const lease = await store.layer(lock, new Deadline(60_000), (text) => heard.push(text));
    lease.release();
    expect(heard).toEqual(["finding versions of a", "fetching 1 package", "unpacking"]);
  });

  it("hears that the registry is away, long before the deadline, in either step", async () => {
    const { store, registry } = await openPackages();
    registry.intercept = () => true; // and never answers
    const startedAt = performance.now();
    await expect(store.resolve([{ name: "a", version: "1" }], new Deadline(60_000))).rejects.toMatchObject(AWAY);
    await expect(store.layer(registry.lock("a"), new Deadline(60_000))).rejects.toMatchObject(AWAY);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});
