/**
 * Finds the Node to work with: the one at hand when package.json's `engines` allows it, else the pinned one of
 * `node-toolchain.json`, fetched once into the ignored folder `.node`. Plain JavaScript for Node 14 and newer.
 *
 * Nothing that npm packages bring is run while fetching, and a tarball whose sha512 differs is never unpacked.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { runNpm } from "./npm.mjs";

/**
 * @param {string} root  folder of package.json
 * @param {(line: string) => void} say
 * @returns {string} path of a Node executable
 */
export function findNode(root, say) {
  const minimum = minimumNode(root);
  if (!isOlder(process.versions.node, minimum)) return process.execPath;
  const platform = `${process.platform}-${process.arch}`;
  const { platforms } = JSON.parse(readFileSync(path.join(root, "scripts", "node-toolchain.json"), "utf8"));
  const pin = platforms[platform];
  const advice = `Install Node ${minimum} or newer by hand and try again.`;
  if (!pin)
    throw new Error(`Node ${process.versions.node} is too old, and npm has no newer one for ${platform}. ${advice}`);

  const home = path.join(root, ".node", `${pin.package}-${pin.version}`);
  const node = path.join(home, ...pin.executable.split("/"));
  if (!existsSync(node)) {
    say(`Node ${process.versions.node} is older than ${minimum}: fetching Node ${pin.version} (once, into .node)`);
    fetchNode(root, pin, home);
  }
  const answer = spawnSync(node, ["--version"], { encoding: "utf8" });
  if (answer.stdout === undefined || answer.stdout === null || answer.stdout.trim() !== `v${pin.version}`) {
    throw new Error(`The fetched Node ${pin.version} does not run on this machine (${platform}). ${advice}`);
  }
  return node;
}

/** @returns {string} e.g. `22.23.3`: package.json is the only place that names it */
export function minimumNode(root) {
  const { engines } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const found = /^>=(\d+\.\d+\.\d+)$/.exec(engines.node);
  if (!found) throw new Error(`package.json: engines.node must read ">=major.minor.patch", not "${engines.node}"`);
  return found[1];
}

/** Compares `major.minor.patch`; whatever follows a hyphen (nightly builds) does not count. */
export function isOlder(version, minimum) {
  const parts = (text) => text.split("-")[0].split(".").map(Number);
  const [have, need] = [parts(version), parts(minimum)];
  for (let i = 0; i < 3; i++) if (have[i] !== need[i]) return have[i] < need[i];
  return false;
}

/** Fetches into a folder of its own and renames: two commands at once do each other no harm. */
function fetchNode(root, pin, home) {
  const parent = path.dirname(home);
  mkdirSync(parent, { recursive: true });
  const work = mkdtempSync(path.join(parent, "fetch-"));
  try {
    writeFileSync(path.join(work, "package.json"), '{ "private": true }\n');
    const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    runNpm(process.execPath, ["pack", `${pin.package}@${pin.version}`].concat(quiet), work);
    const tarball = readdirSync(work).find((name) => name.endsWith(".tgz"));
    if (!tarball) throw new Error(`npm pack gave no tarball of ${pin.package}@${pin.version}`);
    checkTarball(readFileSync(path.join(work, tarball)), pin);
    runNpm(process.execPath, ["install", "--no-save", "--no-package-lock", `./${tarball}`].concat(quiet), work);
    try {
      renameSync(path.join(work, "node_modules", pin.package), home);
    } catch (error) {
      if (!existsSync(home)) throw error; // another command was first; its copy is as good
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** @throws Error naming both sums when the tarball is not the pinned one */
export function checkTarball(bytes, pin) {
  const found = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  if (found === pin.integrity) return;
  throw new Error(
    `${pin.package}@${pin.version} is not the pinned tarball (expected ${pin.integrity}, got ${found}): not used.`,
  );
}
