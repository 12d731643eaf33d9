import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Deadline } from "../core/deadline.ts";
import { entryUrl } from "../machine/entries.ts";
import { spawnChild } from "../machine/process.ts";
import type { BundlerAnswer } from "./bundle/child.ts";
import type { LinkTask } from "./bundle/link.ts";
import { type ExecutionEngine, type JobLimits, NO_ACCESS, type PackageBundle } from "./engine.ts";

/** Above this, parsing it for each call takes longer than a process with Node does. */
const MAX_BUNDLE_BYTES = 64 * 1024;

const BUNDLE_WITHIN_MS = 10_000;
const LOAD_WITHIN_MS = 2_000;
const LOADING: JobLimits = {
  memoryMiB: 64,
  argsBytes: 2,
  resultBytes: 4,
  logBytes: 0,
  hostCalls: { open: 0, total: 0 },
};
const STDERR_BYTES = 4_000;
const FRAME_SLACK_BYTES = 64 * 1024;

export interface BundleTask {
  /** An installed layer; holds `node_modules`. */
  folder: string;
  /** What the body imports, as written, such as `ms` or `dayjs/plugin/utc.js`. */
  imports: readonly string[];
  /** Default: {@link MAX_BUNDLE_BYTES}. */
  maxBytes?: number;
}

/**
 * Packages as one script for an interpreter without files, made by a locked process that can read the layer and nothing
 * else, in at most ten seconds. None of their code runs but in `engine`, where they are loaded once: what can be read
 * need not work there.
 *
 * @returns the bundle, or in one sentence why there is none: it needs Node's API, is too large, has syntax that is not
 *   understood, does not load
 * @throws the deadline's error; ENGINE_UNAVAILABLE, OVERLOADED
 */
export async function bundlePackages(
  task: BundleTask,
  deadline: Deadline,
  engine: Pick<ExecutionEngine, "run">,
): Promise<PackageBundle | { reason: string }> {
  const made = await link(task, deadline);
  if ("reason" in made) return made;
  const problem = await problemOfLoading(made, task.imports, engine, deadline);
  return problem === undefined ? made : { reason: problem };
}

async function problemOfLoading(
  bundle: PackageBundle,
  imports: readonly string[],
  engine: Pick<ExecutionEngine, "run">,
  deadline: Deadline,
): Promise<string | undefined> {
  const js = imports.map((name) => `await import(${JSON.stringify(name)});`).join("");
  const program = { js, digest: digestOf(js), name: "packages" };
  const fixed = { argsJson: "{}", seed: "packages", startedAtMs: 0, may: NO_ACCESS, depth: 0, scope: "packages" };
  const host = { call: () => Promise.reject(new Error("packages call nobody while they load")) };
  const end = await engine.run({ program, bundle, limits: LOADING, runMs: LOAD_WITHIN_MS, ...fixed }, host, deadline);
  deadline.throwIfEnded();
  return end.state === "done" ? undefined : `they do not load in an interpreter without Node: ${end.message}`;
}

const digestOf = (js: string) => createHash("sha256").update(js).digest("hex");

async function link(task: BundleTask, deadline: Deadline): Promise<PackageBundle | { reason: string }> {
  const { folder, imports, maxBytes = MAX_BUNDLE_BYTES } = task;
  const own = deadline.child(BUNDLE_WITHIN_MS);
  const real = realpathSync(folder);
  let answer: BundlerAnswer | undefined;
  const child = spawnChild({
    ...childCommand(real),
    maxFrameBytes: maxBytes * 2 + FRAME_SLACK_BYTES,
    stderrBytes: STDERR_BYTES,
    onFrame(bytes) {
      answer = JSON.parse(Buffer.from(bytes).toString("utf8")) as BundlerAnswer;
      child.kill();
    },
  });
  child.hold(true);
  const stopListening = own.onEnd(() => child.kill());
  try {
    const linkTask: LinkTask = { folder: real, imports: [...new Set(imports)], maxBytes };
    child.send([Buffer.from(JSON.stringify(linkTask), "utf8")]);
    const exit = await child.exited;
    deadline.throwIfEnded();
    if (answer === undefined) {
      if (own.reason) return { reason: `they could not be read within ${BUNDLE_WITHIN_MS} ms` };
      // Out of memory or stack: what it read did that.
      return { reason: `they could not be read (the bundler ended with ${exit.signal ?? `code ${exit.code}`})` };
    }
    if ("fault" in answer) return { reason: `they could not be read (${answer.fault.split("\n")[0]})` };
    if ("reason" in answer) return answer;
    return { js: answer.js, digest: digestOf(answer.js) };
  } finally {
    stopListening();
    own.close();
  }
}

function childCommand(folder: string): { command: string; args: string[]; env: Record<string, string> } {
  const file = realpathSync(fileURLToPath(entryUrl("package-bundler")));
  const known = process.allowedNodeEnvironmentFlags;
  const args = [
    known.has("--permission") ? "--permission" : "--experimental-permission",
    `--allow-fs-read=${file}`,
    `--allow-fs-read=${folder}`,
    "--disable-proto=delete",
    "--disallow-code-generation-from-strings",
    "--no-addons",
    "--max-old-space-size=256",
    file,
  ];
  return { command: process.execPath, args, env: { TZ: "UTC" } };
}
