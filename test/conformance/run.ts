/**
 * `npm run conformance`: the published runner of the protocol's own suite against this server, once for each revision
 * with a set of requirements. Ends with 0 when both sets pass.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { ROOT, startProgram, withTemporaryFolder } from "../support/program.ts";

const RUNNER = path.join(ROOT, "node_modules/@modelcontextprotocol/conformance/dist/index.js");
const REVISIONS = ["2025-11-25", "2026-07-28"];

async function check(url: string, revision: string): Promise<boolean> {
  const args = [RUNNER, "server", "--url", url, "--requirements", revision];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  // A run in full is thousands of lines; what counts is at its end, unless something is wrong.
  const summary = output.slice(Math.max(0, output.lastIndexOf("=== SUMMARY")));
  process.stdout.write(`\n--- requirements of ${revision}: ${code === 0 ? "all met" : "NOT met"}\n`);
  process.stdout.write(code === 0 ? summary : output);
  return code === 0;
}

process.exitCode = await withTemporaryFolder(async (dataDir) => {
  const packFile = path.join(ROOT, "test/conformance/pack.ts");
  const program = await startProgram(["--data-dir", dataDir, "--pack", packFile]);
  try {
    let isMet = true;
    for (const revision of REVISIONS) isMet = (await check(program.url, revision)) && isMet;
    return isMet ? 0 : 1;
  } finally {
    await program.stop();
  }
});
