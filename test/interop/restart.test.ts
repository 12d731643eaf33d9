import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { openSession, send } from "../support/http.ts";
import { ROOT, startProgram, withTemporaryFolder, type Program } from "../support/program.ts";

const programs: Program[] = [];
afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.stop("SIGKILL")));
});

async function start(dataDir: string): Promise<Program> {
  const packFile = path.join(ROOT, "test/conformance/pack.ts");
  const program = await startProgram(["--data-dir", dataDir, "--pack", packFile]);
  programs.push(program);
  return program;
}

describe("a session of the older era", () => {
  it(
    "goes on in another process after the first was killed with SIGKILL [mcp-session-survives]",
    () =>
      withTemporaryFolder(async (dataDir) => {
        const first = await start(dataDir);
        const session = await openSession(first.url, { capabilities: { elicitation: {} } });
        expect((await session.ask("tools/list")).status).toBe(200);
        await first.stop("SIGKILL");

        const second = await start(dataDir);
        const ask = (method: string, params: object) =>
          send(second.url, { headers: session.headers, body: { jsonrpc: "2.0", id: 1, method, params } });
        const called = await ask("tools/call", { name: "test_simple_text" });
        expect(called).toMatchObject({ status: 200, body: { result: { content: [{ type: "text" }] } } });
        expect((await ask("tools/list", {})).status).toBe(200);
        expect(await second.stop()).toBe(0);
      }),
    40_000,
  );
});
