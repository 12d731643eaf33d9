/** How Node is started in a container, with a program that comes over its input: nothing has to be in the image. */

/**
 * Reads a script (four bytes of length, then the script) from descriptor 0 and not a byte more, and runs it as CommonJS
 * with the arguments that follow. `-e` makes every module of Node's a global; the script is to find none of that.
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
for (const name of ["module", "exports", "require", "__filename", "__dirname", ...own("module").builtinModules])
  if (!["process", "console", "crypto"].includes(name)) delete globalThis[name];
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

/** @param version as in `process.versions.node`. @returns undefined for a Node that cannot hold a guest in */
export function permissionFlag(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < 20) return undefined;
  const isStable = major > 23 || (major === 23 && minor >= 5) || (major === 22 && minor >= 13);
  return isStable ? "--permission" : "--experimental-permission";
}

/** V8's young generation has three parts of this size; its default would be most of a small limit. */
const SEMI_SPACE_SHARE = 32;
const MAX_SEMI_SPACE_MIB = 16;
/** Where Node looks for packages, and for what kind of module a file is. */
const PACKAGES = ["/node_modules", "/package.json"];

/**
 * Flags for a guest: no child process, worker, addon or WASI, no file but its own and its packages, nothing written
 * outside `folder`. The container holds it in; this is a second wall, inside of the first.
 *
 * @throws RangeError for a Node without permissions, see `permissionFlag`
 */
export function guestFlags(version: string, memoryMiB: number, folder: string): string[] {
  const permission = permissionFlag(version);
  if (permission === undefined) throw new RangeError(`Node ${version} has no permissions`);
  const semiSpaceMiB = Math.min(MAX_SEMI_SPACE_MIB, Math.max(1, Math.floor(memoryMiB / SEMI_SPACE_SHARE)));
  return [
    permission,
    ...[folder, ...PACKAGES].map((place) => `--allow-fs-read=${place}`),
    `--allow-fs-write=${folder}`,
    "--no-addons",
    "--no-warnings",
    `--max-old-space-size=${memoryMiB}`,
    `--max-semi-space-size=${semiSpaceMiB}`,
  ];
}
