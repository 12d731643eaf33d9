import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { callTool, connectOptions, relayThat } from "../upstream.contract.ts";
import type { ConnectOptions, Era, Upstream } from "../upstream.ts";
import { connectStdio } from "./connect-stdio.ts";

const opened: Upstream[] = [];

async function start(file: string, changes: Partial<ConnectOptions> = {}): Promise<Upstream> {
  const server = fileURLToPath(new URL(`../fixtures/${file}`, import.meta.url));
  const env = { PATH: process.env["PATH"] ?? "" };
  const target = { transport: "stdio", command: process.execPath, args: [server], env } as const;
  const upstream = await connectStdio(target, connectOptions(changes));
  opened.push(upstream);
  return upstream;
}
const known = (era: Era) => ({ known: { era, transport: "stdio" } }) as const;
const textOf = (result: object) => (result as { content: { text: string }[] }).content[0]?.text ?? "";

afterEach(async () => {
  await Promise.all(opened.splice(0).map((upstream) => upstream.close()));
});

describe.each([
  ["the SDK's first line", "sdk-v1-server.ts", {}, "legacy", "2025-11-25"],
  ["the SDK's first line, taken for a newer one", "sdk-v1-server.ts", known("modern"), "legacy", "2025-11-25"],
  ["the SDK's second line", "sdk-v2-server.ts", {}, "modern", "2026-07-28"],
  ["the SDK's second line, in the older era", "sdk-v2-server.ts", known("legacy"), "legacy", "2025-11-25"],
] as const)("a server on %s", (_, file, changes, era, version) => {
  it("is talked to in its era, with progress and cancellation", async () => {
    const upstream = await start(file, changes);
    expect(upstream.about).toMatchObject({ era, version, info: { name: file.slice(4, 6) } });
    const seen: number[] = [];
    const relay = relayThat({ progress: (progress) => seen.push(progress) });
    expect(textOf(await callTool(upstream, "progress", {}, { relay }))).toBe("ok");
    expect(seen).toEqual([1]);
    await expect(callTool(upstream, "wait", {}, { ms: 30 })).rejects.toMatchObject({ code: "TIMEOUT" });
    await expect.poll(async () => textOf(await callTool(upstream, "cancelled"))).toBe("1");
  });
});

it("takes a question of a server of the older era to the client of the call", async () => {
  const upstream = await start("sdk-v1-server.ts", { capabilities: { elicitation: {} } });
  const relay = relayThat({ ask: () => Promise.resolve({ action: "decline" }) });
  expect(textOf(await callTool(upstream, "ask", {}, { relay }))).toBe("decline");
});

describe("a server of 2026-07-28", () => {
  it("is told with each request who asks and what that client can be asked", async () => {
    const upstream = await start("sdk-v2-server.ts");
    const declared = { elicitation: { form: {} } };
    const can = { elicitForm: true, elicitUrl: false, sampling: false, roots: false, declared };
    const relay = relayThat({ can, logLevel: "warning" });
    const envelope = JSON.parse(textOf(await callTool(upstream, "envelope", {}, { relay }))) as object;
    expect(JSON.stringify(envelope)).toContain('{"elicitation":{"form":{}}}');
    expect(JSON.stringify(envelope)).toContain('"warning"');
    // No client is behind this one: it says what the connection can.
    expect(textOf(await callTool(upstream, "envelope"))).toContain('clientCapabilities":{"elicitation":{}}');
  });

  it("tells of its changes, of lists and of resources that are watched", async () => {
    const seen: string[] = [];
    const upstream = await start("sdk-v2-server.ts", {
      onNotification: (method, params) => seen.push(`${method} ${JSON.stringify(params["uri"] ?? "")}`),
    });
    expect(upstream.about.instructions).toBe("be kind");
    const heard = (tool: string, what: string) =>
      expect
        .poll(async () => {
          await callTool(upstream, tool, { uri: "a:b" });
          return seen;
        })
        .toContain(what);
    await heard("change", 'notifications/tools/list_changed ""');
    await upstream.request("resources/subscribe", { uri: "a:b" }, { deadline: connectOptions().deadline });
    await heard("update", 'notifications/resources/updated "a:b"');
  });
});
