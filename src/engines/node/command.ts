import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Inmate, NodeInJail } from "../../machine/bubblewrap.ts";
import { entryUrl } from "../../machine/entries.ts";
import { guardFlags, maxSemiSpaceMiB, OWN_PERMISSION_FLAG } from "../../machine/node-flags.ts";
import type { Layer } from "../engine.ts";

const RUNNER_INSIDE = "/node-runner.cjs";
const MODULES_INSIDE = "/node_modules";
const TMP_BYTES = 16 * 1024 * 1024;

/** The runner in a jail: a second wall within it, and V8's own limit of memory. */
export function inmateFor(node: NodeInJail, memoryMiB: number, layer: Layer | undefined): Inmate {
  const runner = runnerFile();
  const flags = flagsFor(memoryMiB, [RUNNER_INSIDE, "/tmp", MODULES_INSIDE, "/package.json"], ["/tmp"]);
  return {
    program: [node.program, ...flags, RUNNER_INSIDE, "3"],
    files: [
      ...node.files,
      [runner, RUNNER_INSIDE],
      ...(layer ? [[`${realpathSync(layer.folder)}/node_modules`, MODULES_INSIDE] as const] : []),
    ],
    env: { TZ: "UTC", HOME: "/tmp" },
    tmpBytes: TMP_BYTES,
  };
}

/** The runner without a jail: it may read its own file and its packages, and write nothing. */
export function commandWithoutJail(memoryMiB: number, layer: Layer | undefined) {
  const runner = runnerFile();
  const folder = layer && realpathSync(layer.folder);
  const flags = flagsFor(memoryMiB, [runner, ...(folder === undefined ? [] : [folder])], []);
  return { command: process.execPath, args: [...flags, runner, "3"], env: { TZ: "UTC" }, cwd: folder ?? "/" };
}

function runnerFile(): string {
  return realpathSync(fileURLToPath(entryUrl("node-runner")));
}

/** No child processes, no workers, no addons, no WASI. */
function flagsFor(memoryMiB: number, reads: string[], writes: string[]): string[] {
  return [
    OWN_PERMISSION_FLAG,
    ...reads.map((file) => `--allow-fs-read=${file}`),
    ...writes.map((file) => `--allow-fs-write=${file}`),
    "--no-addons",
    ...guardFlags(process.versions.node),
    `--max-old-space-size=${memoryMiB}`,
    `--max-semi-space-size=${maxSemiSpaceMiB(memoryMiB)}`,
  ];
}
