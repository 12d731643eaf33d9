import { guardFlags, maxSemiSpaceMiB, permissionFlag } from "../../machine/node-flags.ts";

/** How Node is started in a container, with a program that comes over its input: nothing has to be in the image. */

/**
 * The modules of Node's that become globals, of Node 20 to 26. Listed, not asked for inside: that would cost each process
 * a megabyte.
 */
const MODULES =
  "assert async_hooks buffer child_process cluster constants dgram diagnostics_channel dns domain events fs http http2 " +
  "https inspector module net os path perf_hooks punycode querystring readline repl stream string_decoder sys timers " +
  "tls trace_events tty url util v8 vm wasi worker_threads zlib node:ffi node:quic node:sea node:sqlite node:test";
const GLOBALS_OF_EVAL = ["exports", "require", "__filename", "__dirname", ...MODULES.split(" ")];

/**
 * Reads a script (four bytes of length, then the script) from descriptor 0 and not a byte more, and runs it as CommonJS
 * with the arguments that follow. `-e` makes every module of Node's a global; the script is to find none of that, nor
 * the one that Node puts back when what it evaluates has ended.
 */
const BOOTSTRAP = `
const fs = require("fs"), vm = require("vm");
const cell = new Int32Array(new SharedArrayBuffer(4));
const take = (bytes) => {
  const into = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; ) {
    let count = -1;
    try { count = fs.readSync(0, into, at, bytes - at, null); } catch (error) { if (error.code !== "EAGAIN") throw error; }
    if (count === 0) process.reallyExit(0);
    if (count < 0) Atomics.wait(cell, 0, 0, 2); else at += count;
  }
  return into;
};
const script = take(take(4).readUInt32BE(0)).toString("utf8");
const own = require;
for (const name of ${JSON.stringify(GLOBALS_OF_EVAL)}) delete globalThis[name];
process.nextTick(() => delete globalThis.module);
process.argv = [process.execPath, "program", ...process.argv.slice(1)];
process.execArgv = [];
const run = new vm.Script("(function (require, module, exports) {" + script + "\\n})", { filename: "/program.cjs" });
const module_ = { exports: {} };
run.runInThisContext()(own, module_, module_.exports);
`.replaceAll(/\s*\n\s*/g, "\n");

/** The command line; `args` are what the script sees as `process.argv.slice(2)`. */
export function nodeCommand(flags: readonly string[], args: readonly string[]): string[] {
  return ["node", ...flags, "-e", BOOTSTRAP, ...args];
}

/** What the bootstrap reads first. */
export function scriptInput(script: Uint8Array): Uint8Array {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(script.byteLength);
  return Buffer.concat([head, script]);
}

interface GuestLimits {
  memoryMiB: number;
  cpus: number;
  /** Its own, and the only one that it may write to. */
  folder: string;
}

/** V8's threads beside the guest's: Node's default, and more than that no processor would run. */
const MAX_HELPERS = 4;
/** Enough for the start: a first collection before the first job would only spread what is there over more pages. */
const START_SEMI_SPACE_MIB = 2;
/** Where Node looks for packages, and for what kind of module a file is. */
const PACKAGES = ["/node_modules", "/package.json"];

/**
 * Flags for a guest: no child process, worker, addon or WASI, no file but its own and its packages. The container holds
 * it in; this is a second wall, inside of the first.
 *
 * @throws RangeError for a Node without permissions, see `permissionFlag`
 */
export function guestFlags(version: string, { memoryMiB, cpus, folder }: GuestLimits): string[] {
  const permission = permissionFlag(version);
  if (permission === undefined) throw new RangeError(`Node ${version} has no permissions`);
  const semiSpaceMiB = maxSemiSpaceMiB(memoryMiB);
  return [
    permission,
    ...[folder, ...PACKAGES].map((place) => `--allow-fs-read=${place}`),
    `--allow-fs-write=${folder}`,
    "--no-addons",
    "--no-warnings",
    ...guardFlags(version),
    `--max-old-space-size=${memoryMiB}`,
    `--v8-pool-size=${Math.max(1, Math.min(MAX_HELPERS, Math.ceil(cpus)))}`,
    `--min-semi-space-size=${Math.min(START_SEMI_SPACE_MIB, semiSpaceMiB)}`,
    `--max-semi-space-size=${semiSpaceMiB}`,
  ];
}
