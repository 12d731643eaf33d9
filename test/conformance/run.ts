/**
 * `npm run conformance [-- leg ...]`: the published runner of the protocol's own suite, once for each revision with a
 * set of requirements: against this server, and through it against a server behind it, in every combination of eras.
 * Ends with 0 when all requirements are met; where the eras differ, what cannot work is listed in `expected/`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { ROOT, startProgram, withTemporaryFolder } from "../support/program.ts";
import { openOneEra } from "./one-era.ts";

const RUNNER = path.join(ROOT, "node_modules/@modelcontextprotocol/conformance/dist/index.js");
const PACK = path.join(ROOT, "test/conformance/pack.ts");
const LEGACY = "2025-11-25";
const MODERN = "2026-07-28";

interface Leg {
  name: string;
  /** Of the server behind; undefined: there is none. */
  upstream?: "legacy" | "modern";
  /** What is asked in the words of these revisions ... */
  revisions: readonly string[];
  /** ... with these exceptions, a file in `expected/`. */
  expected?: string;
}

const LEGS: readonly Leg[] = [
  { name: "direct", revisions: [LEGACY, MODERN] },
  { name: "legacy-legacy", upstream: "legacy", revisions: [LEGACY] },
  { name: "modern-modern", upstream: "modern", revisions: [MODERN] },
  { name: "legacy-modern", upstream: "modern", revisions: [LEGACY], expected: "legacy-modern.yaml" },
  { name: "modern-legacy", upstream: "legacy", revisions: [MODERN], expected: "modern-legacy.yaml" },
];

async function check(url: string, { name, expected }: Leg, revision: string): Promise<boolean> {
  const wanted =
    expected === undefined
      ? ["--requirements", revision]
      : ["--suite", "all", "--spec-version", revision, "--expected-failures", path.join(ROOT, "test/conformance/expected", expected)]; // prettier-ignore
  const child = spawn(process.execPath, [RUNNER, "server", "--url", url, ...wanted], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  // A run in full is thousands of lines; what counts is at its end, unless something is wrong.
  const summary = output.slice(Math.max(0, output.lastIndexOf("=== SUMMARY")));
  process.stdout.write(`\n--- ${name}, requirements of ${revision}: ${code === 0 ? "all met" : "NOT met"}\n`);
  process.stdout.write(code === 0 ? summary : output);
  return code === 0;
}

async function run(leg: Leg): Promise<boolean> {
  return withTemporaryFolder(async (dataDir) => {
    const server = await startProgram(["--data-dir", path.join(dataDir, "fixture"), "--pack", PACK]);
    const closers = [() => server.stop()];
    try {
      const url = leg.upstream === undefined ? server.url : await gatewayTo(server.url, leg.upstream, dataDir, closers);
      let isMet = true;
      for (const revision of leg.revisions) isMet = (await check(url, leg, revision)) && isMet;
      return isMet;
    } finally {
      for (const close of closers.toReversed()) await close();
    }
  });
}

/** The suite looks its tools up by name, so they are listed without a prefix. */
async function gatewayTo(
  target: string,
  era: "legacy" | "modern",
  folder: string,
  closers: (() => Promise<unknown>)[],
): Promise<string> {
  const oneEra = await openOneEra(target, era);
  closers.push(() => oneEra.close());
  const config = path.join(folder, "dynamic-mcp.json");
  await writeFile(config, JSON.stringify({ mcpServers: { fixture: { url: oneEra.url, prefix: false } } }));
  const gateway = await startProgram(["--data-dir", folder, "--config", config, "--exposure", "direct"]);
  closers.push(() => gateway.stop());
  return gateway.url;
}

const wanted = process.argv.slice(2);
const legs = LEGS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
let isMet = legs.length > 0;
for (const leg of legs) isMet = (await run(leg)) && isMet;
process.exitCode = isMet ? 0 : 1;
