import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { connectV1, connectV2, ROOTS, type Result, type TestClient, type Where } from "../interop/clients.ts";
import { programFile, withTemporaryFolder } from "../support/program.ts";
import { npmServers } from "../support/real-servers.ts";

import { processesWith } from "./processes.ts";
import { plain } from "./plain.ts";

const npm = await npmServers();
const DMCP = programFile().replace(/main\.(js|ts)$/, "dmcp.$1");
const CLIENTS: [string, (where: Where) => Promise<TestClient>][] = [
  ["SDK v1", connectV1],
  ["SDK v2, older era", (where) => connectV2(where, "legacy")],
  ["SDK v2, 2026-07-28", (where) => connectV2(where, "modern")],
];

const textOf = ({ content }: Result) => content.map(({ text }) => text ?? "").join("\n");

/** Nothing of this machine's settings: what is ours lies in the folder. */
const environment = (folder: string, more: Record<string, string> = {}) => ({
  PATH: process.env["PATH"] ?? "",
  HOME: folder,
  ...more,
});

/** Closed also when a test fails: a program that goes on would keep its folder. */
const closing = (client: TestClient) => ({ ...client, [Symbol.asyncDispose]: () => client.close() });

async function run(args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [DMCP, ...args], { env, stdio: ["pipe", "pipe", "pipe"] });
  let [output, log] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  child.stdin.end();
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output, log };
}

describe("dmcp", () => {
  it("says how it is used and ends with 1 without a file; ends with 2 and says why with one that cannot be used", async () => {
    await withTemporaryFolder(async (folder) => {
      const none = await run([], environment(folder));
      expect(none).toMatchObject({ code: 1, output: "" });
      expect(none.log).toContain("Usage: dmcp <file>");
      const missing = await run([path.join(folder, "nowhere.json")], environment(folder));
      expect(missing).toMatchObject({ code: 2, output: "" });
      expect(missing.log).toContain("nowhere.json");
      const file = path.join(folder, "bad.json");
      await writeFile(file, "{");
      const bad = await run([], environment(folder, { DYNAMIC_MCP_CONFIG: file }));
      expect(bad).toMatchObject({ code: 2, output: "" });
      expect(bad.log).toContain("bad.json");
    });
  });

  it("serves files as other gateways have them, named by a variable", async () => {
    await withTemporaryFolder(async (folder) => {
      const file = path.join(folder, "servers.json");
      const dmcpsWay = {
        ...plain("--says", "hello"),
        description: "Says things",
        env: { HINT: "${HINT_OF_OURS}" },
        features: { tools: true, resources: false, prompts: false },
        timeout: { tools: "1min", resources: "500ms", prompts: 10 },
      };
      const modularsWay = { type: "stdio", description: "The other one", env: {}, ...plain() };
      const mcpServers = {
        one: dmcpsWay,
        two: modularsWay,
        off: { ...plain(), enabled: false },
        "unset variable": { ...plain(), env: { KEY: "${NOBODY_SET_THIS}" } },
        remote: { type: "http", url: "http://127.0.0.1:1/mcp", headers: { "x-key": "a" }, description: "Not there" },
      };
      await writeFile(file, JSON.stringify({ $schema: "https://example.com/schema.json", mcpServers }));
      const env = environment(folder, { DYNAMIC_MCP_CONFIG: file, HINT_OF_OURS: "outside" });
      await using client = closing(await connectV1({ command: process.execPath, args: [DMCP], env }));
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(["call_dynamic_tool", "get_dynamic_tools"]);
      const listed = JSON.stringify(tools);
      for (const words of ["Says things", "The other one", "remote", "NOBODY_SET_THIS"])
        expect(listed).toContain(words);

      const shown = await client.call("get_dynamic_tools", { group: "one" });
      const [first] = JSON.parse(shown.content[0]?.text ?? "") as { name: string; inputSchema: object }[];
      expect(first).toMatchObject({ name: expect.any(String), inputSchema: { type: "object" } });
      expect(textOf(await client.call("call_dynamic_tool", { group: "one", name: "hint", args: {} }))).toBe("outside"); // prettier-ignore
      expect(textOf(await client.call("call_dynamic_tool", { group: "two", name: "echo", args: { text: "x" } }))).toBe("x"); // prettier-ignore
      for (const [group, word] of [
        ["unset variable", "NOBODY_SET_THIS"],
        ["remote", "remote"],
        ["off", "off"],
      ] as const) {
        const refused = await client.call("get_dynamic_tools", { group }).catch((error: Error) => error);
        expect(refused instanceof Error ? refused.message : textOf(refused)).toContain(word);
      }
    });
  });

  it("ends with its client, its servers too", async () => {
    await withTemporaryFolder(async (folder) => {
      const mark = `stdio-${process.pid}`;
      const file = path.join(folder, "servers.json");
      await writeFile(file, JSON.stringify({ mcpServers: { one: plain(mark), two: plain(mark, "--deaf") } }));
      const client = await connectV1({ command: process.execPath, args: [DMCP, file], env: environment(folder) });
      for (const group of ["one", "two"]) await client.call("call_dynamic_tool", { group, name: "pid", args: {} });
      expect(processesWith(mark).length).toBeGreaterThanOrEqual(2);
      await client.close();
      await expect.poll(() => processesWith(mark), { timeout: 10_000 }).toEqual([]);
    });
  });
});

describe.skipIf(!npm).each(CLIENTS)("dmcp before a published server, for %s", (_name, connect) => {
  let client: TestClient;
  let end: () => void = () => {};
  let ended: Promise<void>;
  const call = (name: string, args: object = {}, options = {}) =>
    client.call("call_dynamic_tool", { group: "everything", name, args }, options);

  beforeAll(async () => {
    await new Promise<void>((ready, failed) => {
      ended = withTemporaryFolder(async (folder) => {
        const file = path.join(folder, "servers.json");
        await writeFile(file, JSON.stringify({ mcpServers: { everything: npm?.everything() } }));
        client = await connect({ command: process.execPath, args: [DMCP, file], env: environment(folder) });
        ready();
        await new Promise<void>((resolve) => (end = resolve));
        await client.close();
      });
      ended.catch(failed);
    });
  });
  afterAll(async () => {
    end();
    await ended;
  });

  it("lists two tools and calls those behind them", async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["call_dynamic_tool", "get_dynamic_tools"]);
    expect(textOf(await call("echo", { message: "héllo \u{1F600}" }))).toContain("héllo \u{1F600}");
  });

  it("shows what is no tool as it is", async () => {
    const prompt = await client.getPrompt("everything__args-prompt", { city: "Bern" });
    expect(JSON.stringify(prompt.messages)).toContain("Bern");
    expect(JSON.stringify(await client.readResource("demo://resource/dynamic/text/7"))).toContain("7");
  });

  it("takes its questions to the client", async () => {
    expect(textOf(await call("trigger-elicitation-request"))).toContain("Ada");
    expect(textOf(await call("trigger-sampling-request", { prompt: "Capital?", maxTokens: 10 }))).toContain("Paris");
    expect(textOf(await call("get-roots-list"))).toContain(ROOTS[0]?.uri);
  });

  it("tells of progress", async () => {
    const heard: number[] = [];
    const onprogress = ({ progress }: { progress: number }) => void heard.push(progress);
    expect(textOf(await call("trigger-long-running-operation", { duration: 0.3, steps: 3 }, { onprogress }))).toContain("completed"); // prettier-ignore
    // A client may drop the last one when it comes in one piece with the result.
    expect(heard.slice(0, 2)).toEqual([1, 2]);
  });

  it("ends a call that the client cancels, and answers the next", async () => {
    const abort = new AbortController();
    const begin = performance.now();
    const { promise: isUnderWay, resolve: underWay } = Promise.withResolvers<void>();
    const cancelled = call("trigger-long-running-operation", { duration: 10, steps: 100 }, { signal: abort.signal, onprogress: () => underWay() }); // prettier-ignore
    cancelled.catch(() => {});
    await isUnderWay;
    abort.abort();
    await expect(cancelled).rejects.toThrow();
    expect(textOf(await call("echo", { message: "next" }))).toContain("next");
    expect(performance.now() - begin).toBeLessThan(5_000);
  });

  it("passes log lines on", async () => {
    if (client.era === "modern") return; // there a level comes with each request, and these lines belong to none
    await vi.waitFor(
      async () => {
        await call("toggle-simulated-logging"); // sends one at once, of a random level
        await vi.waitFor(() => expect(client.heard.logged.length).toBeGreaterThan(0), { timeout: 300 });
      },
      { timeout: 10_000 },
    );
  });
});
