/**
 * Installs and builds what is missing or stale, nothing else. Plain JavaScript for Node 14 and newer.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { runNpm } from "./npm.mjs";

/** What the bundle is made from; `src` without tests, which never reach it. */
const BUILD_INPUTS = ["src", "scripts/build.ts", "package.json", "package-lock.json", "tsconfig.json"];

/** @typedef {{ root: string, node: string, say: (line: string) => void }} Workplace */

/** @param {Workplace} place */
export function ensureDependencies({ root, node, say }) {
  const stamp = path.join(root, "node_modules", ".dynamic-mcp-installed");
  const wanted = digest([readFileSync(path.join(root, "package-lock.json")), `${process.platform}-${process.arch}`]);
  const isFresh = () => read(stamp) === wanted;
  if (isFresh()) return;
  withLock(root, say, () => {
    if (isFresh()) return;
    if (read(stamp) !== undefined || !isInstalled(root)) {
      say("installing dependencies (npm ci)");
      runNpm(node, ["ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], root);
    }
    writeFileSync(stamp, wanted);
  });
}

/** @param {Workplace} place */
export function ensureBuild({ root, node, say }) {
  const stamp = path.join(root, ".cache", "built");
  const wanted = () => digest(inputFiles(root).flatMap((file) => [file, readFileSync(path.join(root, file))]));
  const isFresh = () => existsSync(path.join(root, "dist", "main.js")) && read(stamp) === wanted();
  if (isFresh()) return;
  withLock(root, say, () => {
    if (isFresh()) return;
    build({ root, node, say });
  });
}

/** Builds in any case. @param {Workplace} place */
export function build({ root, node, say }) {
  const inputs = inputFiles(root).flatMap((file) => [file, readFileSync(path.join(root, file))]);
  say("building dist");
  const done = spawnSync(node, ["scripts/build.ts"], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (done.status !== 0) throw new Error("the build failed");
  mkdirSync(path.join(root, ".cache"), { recursive: true });
  // The digest was taken before: a file that changed meanwhile makes the next build.
  writeFileSync(path.join(root, ".cache", "built"), digest(inputs));
}

/** Somebody's own `npm ci` is as good as ours: what npm says it installed has to be what the lock file asks for. */
function isInstalled(root) {
  const hidden = read(path.join(root, "node_modules", ".package-lock.json"));
  if (hidden === undefined) return false;
  const installed = JSON.parse(hidden).packages;
  const locked = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")).packages;
  const isSame = (name) =>
    name === "" ||
    (installed[name] ? installed[name].integrity === locked[name].integrity : locked[name].optional === true);
  return Object.keys(locked).every(isSame) && Object.keys(installed).every((name) => name in locked);
}

function inputFiles(root) {
  const found = [];
  const walk = (relative) => {
    const full = path.join(root, relative);
    if (!existsSync(full)) return;
    if (!statSync(full).isDirectory()) {
      if (!relative.endsWith(".test.ts")) found.push(relative);
      return;
    }
    for (const name of readdirSync(full).sort()) walk(`${relative}/${name}`);
  };
  BUILD_INPUTS.forEach(walk);
  return found;
}

/**
 * One install or build at a time per checkout. The lock is a folder (made atomically) that names its owner;
 * a dead owner's lock is taken over.
 */
function withLock(root, say, work) {
  const lock = path.join(root, ".cache", "lock");
  mkdirSync(path.dirname(lock), { recursive: true });
  for (let waits = 0; ; waits++) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (isAbandoned(lock)) rmSync(lock, { recursive: true, force: true });
    else if (waits === 0) say("waiting for another command that installs or builds here");
    else if (waits > 3000) throw new Error(`still locked after ten minutes; if no other command runs, remove ${lock}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
  try {
    writeFileSync(path.join(lock, "pid"), String(process.pid));
    return work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function isAbandoned(lock) {
  const owner = Number(read(path.join(lock, "pid")));
  try {
    // A lock without a name is either a moment old or was left between two steps.
    if (!owner) return Date.now() - statSync(lock).mtimeMs > 5000;
    process.kill(owner, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function digest(parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex");
}
