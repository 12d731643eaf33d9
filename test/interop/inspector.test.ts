import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { programFile, ROOT, startProgram, withTemporaryFolder } from "../support/program.ts";

const INSPECTOR = path.join(ROOT, "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js");

/** Runs the inspector's command line; its settings go to `home`. */
async function inspect(
  home: string,
  args: readonly string[],
): Promise<{ code: number | null; output: string; log: string }> {
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, [INSPECTOR, "--cli", ...args], {
    cwd: ROOT,
    env: { PATH, HOME: home },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [output, log] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output, log };
}

describe("the inspector", () => {
  const packFile = path.join(ROOT, "test/conformance/pack.ts");

  it(
    "finds no schema over HTTP that a strict client would refuse, and calls a tool",
    () =>
      withTemporaryFolder(async (folder) => {
        const program = await startProgram(["--data-dir", folder, "--pack", packFile]);
        try {
          const http = [program.url, "--transport", "http"];
          const list = await inspect(folder, [...http, "--method", "tools/list", "--strict"]);
          expect(list.code === 0 ? "" : list.log).toBe("");
          const { tools } = JSON.parse(list.output) as { tools: { name: string }[] };
          expect(tools.map(({ name }) => name)).toContain("dynamic_tool_create");
          const call = await inspect(folder, [...http, "--method", "tools/call", "--tool-name", "test_simple_text"]);
          expect(call.code === 0 ? "" : call.log).toBe("");
          expect(call.output).toContain("This is a simple text response for testing.");
        } finally {
          await program.stop();
        }
      }),
    60_000,
  );

  it(
    "finds none over stdio",
    () =>
      withTemporaryFolder(async (folder) => {
        const server = ["node", programFile(), "--data-dir", folder];
        const list = await inspect(folder, [...server, "--method", "tools/list", "--strict"]);
        expect(list.code === 0 ? "" : list.log).toBe("");
      }),
    60_000,
  );
});
