import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectV1, connectV2, ROOTS, type Result, type TestClient } from "../interop/clients.ts";
import { startProgram, withTemporaryFolder, type Program } from "../support/program.ts";
import { npmServers, pythonServers } from "../support/real-servers.ts";

const npm = await npmServers();
const python = await pythonServers();

const textOf = (result: Result) => result.content.map(({ text }) => text ?? "").join("\n");

const CLIENTS: [string, (url: string) => Promise<TestClient>][] = [
  ["SDK v1", (url) => connectV1({ url })],
  ["SDK v2, older era", (url) => connectV2({ url }, "legacy")],
  ["SDK v2, 2026-07-28", (url) => connectV2({ url }, "modern")],
];

/** One gateway for the whole file: what its servers do with many clients is part of the test. */
describe.skipIf(!npm)("published servers behind the gateway", () => {
  let program: Program;
  let url = "";
  let files = "";
  let end: () => void = () => {};
  let ended: Promise<void>;

  beforeAll(async () => {
    if (!npm) return;
    await new Promise<void>((ready, failed) => {
      ended = withTemporaryFolder(async (folder) => {
        files = path.join(folder, "files");
        await mkdir(files);
        await writeFile(path.join(files, "hello.txt"), "hello from a file");
        const config = path.join(folder, "dynamic-mcp.json");
        const mcpServers = {
          everything: npm.everything(),
          files: npm.filesystem(files),
          memory: { ...npm.memory(), env: { MEMORY_FILE_PATH: path.join(folder, "memory.jsonl") } },
          playwright: npm.playwright("--headless"),
          ...(python && { git: python.git, time: python.time }),
        };
        await writeFile(config, JSON.stringify({ mcpServers }));
        program = await startProgram(["--config", config, "--data-dir", folder, "--exposure", "direct"]);
        url = program.url;
        ready();
        await new Promise<void>((resolve) => (end = resolve));
        await program.stop();
      });
      ended.catch(failed);
    });
  }, 60_000);

  afterAll(async () => {
    end();
    await ended;
  });

  describe.each(CLIENTS)("for a client with %s", (_name, connect) => {
    let client: TestClient;
    beforeAll(async () => {
      client = await connect(url);
    });
    afterAll(() => client.close());

    it("lists the tools of all, those that need the client's help too", async () => {
      const names = async () => (await client.listTools()).tools.map(({ name }) => name);
      const wanted = [
        "everything__echo",
        "everything__get-structured-content",
        "everything__trigger-elicitation-request",
        "everything__trigger-sampling-request",
        "everything__get-roots-list",
        "files__read_text_file",
        "memory__create_entities",
        "playwright__browser_navigate",
        ...(python ? ["git__git_status", "time__convert_time"] : []),
      ];
      await expect.poll(names, { timeout: 30_000 }).toEqual(expect.arrayContaining(wanted));
    }, 40_000);

    it("calls them", async () => {
      expect(textOf(await client.call("everything__echo", { message: "héllo \u{1F600}" }))).toContain(
        "héllo \u{1F600}",
      );
      expect(textOf(await client.call("files__read_text_file", { path: path.join(files, "hello.txt") }))).toContain(
        "hello from a file",
      );
      expect(await client.call("everything__get-structured-content", { location: "Chicago" })).toMatchObject({
        structuredContent: { conditions: expect.any(String) },
      });
      expect((await client.call("memory__read_graph")).isError ?? false).toBe(false);
    });

    it.skipIf(!python)("calls those from PyPI", async () => {
      const time = { source_timezone: "UTC", time: "12:00", target_timezone: "Asia/Tokyo" };
      expect(textOf(await client.call("time__convert_time", time))).toContain("Asia/Tokyo");
    });

    it("hears of progress", async () => {
      const heard: number[] = [];
      const args = { duration: 0.3, steps: 3 };
      const result = await client.call("everything__trigger-long-running-operation", args, {
        onprogress: ({ progress }) => void heard.push(progress),
      });
      expect(textOf(result)).toContain("completed");
      // This SDK counts a round of questions, such as for roots, as progress of its own.
      expect(heard.slice(-3)).toEqual([1, 2, 3]);
    });

    it("is asked what the server wants to know", async () => {
      expect(textOf(await client.call("everything__trigger-elicitation-request"))).toContain("Ada");
      const sampled = await client.call("everything__trigger-sampling-request", { prompt: "Capital?", maxTokens: 10 });
      expect(textOf(sampled)).toContain("Paris");
      expect(textOf(await client.call("everything__get-roots-list"))).toContain(ROOTS[0]?.uri);
    });

    it("gets prompts, resources, completions", async () => {
      const prompts = await client.getPrompt("everything__args-prompt", { city: "Bern" });
      expect(JSON.stringify(prompts.messages)).toContain("Bern");
      const read = await client.readResource("demo://resource/dynamic/text/7");
      expect(JSON.stringify(read.contents)).toContain("7");
      expect(await client.complete("everything__completable-prompt", "department", "E")).toContain("Engineering");
    });

    it("gets a tool's own refusal and the server's own error", async () => {
      const refused = await client.call("files__read_text_file", { path: "/etc/passwd" });
      expect(refused.isError).toBe(true);
      expect(textOf(refused)).toMatch(/denied/i);
    });
  });
});
