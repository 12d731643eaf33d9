import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./program.ts";

const run = promisify(execFile);
const CACHE = path.join(ROOT, ".cache/test-servers");
const LIST = path.join(ROOT, "test/servers");
const INSTALL_MS = 180_000;

/** What starts a server. */
export interface Command {
  command: string;
  args: string[];
}

/** Published servers by the names of their commands. */
export interface RealServers {
  everything(...args: string[]): Command;
  filesystem(...folders: string[]): Command;
  memory(): Command;
  playwright(...args: string[]): Command;
}

/**
 * Published MCP servers from npm, installed the first time, exactly as the lock file has them.
 *
 * @returns undefined, and says so, where they cannot be had
 * @throws Error instead, where every part is required (`DYNAMIC_MCP_REQUIRE_PARTS=1`)
 */
export async function npmServers(): Promise<RealServers | undefined> {
  const folder = await orSkip("MCP servers from npm", installNpm);
  if (folder === undefined) return undefined;
  const bin = (name: string, args: string[]): Command => ({
    command: process.execPath,
    args: [path.join(folder, "node_modules", name), ...args],
  });
  return {
    everything: (...args) => bin("@modelcontextprotocol/server-everything/dist/index.js", args),
    filesystem: (...folders) => bin("@modelcontextprotocol/server-filesystem/dist/index.js", folders),
    memory: () => bin("@modelcontextprotocol/server-memory/dist/index.js", []),
    playwright: (...args) => bin("@playwright/mcp/cli.js", args),
  };
}

const PYTHON_SERVERS = ["mcp-server-git==2026.10.19", "mcp-server-time==2026.10.19"];

/**
 * MCP servers from PyPI in an environment of their own.
 *
 * @returns undefined where there is no Python; that is a skip everywhere, as the project itself needs none
 * @throws Error where there is one, every part is required, and they cannot be installed
 */
export async function pythonServers(): Promise<{ git: Command; time: Command } | undefined> {
  // Debian has `venv` without what it needs in packages of their own.
  const hasPython = await run("python3", ["-c", "import ensurepip, venv"]).then(
    () => true,
    () => false,
  );
  if (!hasPython) {
    process.stderr.write("skipped, no Python with venv: MCP servers from PyPI\n");
    return undefined;
  }
  const folder = await orSkip("MCP servers from PyPI", installPython);
  if (folder === undefined) return undefined;
  const command = (name: string): Command => ({ command: path.join(folder, "bin", name), args: [] });
  return { git: command("mcp-server-git"), time: command("mcp-server-time") };
}

async function installNpm(): Promise<string> {
  const lock = await readFile(path.join(LIST, "package-lock.json"));
  return installOnce(`npm-${digest(lock)}`, async (folder) => {
    for (const file of ["package.json", "package-lock.json"])
      await copyFile(path.join(LIST, file), path.join(folder, file));
    await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: folder, timeout: INSTALL_MS });
  });
}

async function installPython(): Promise<string> {
  const { stdout } = await run("python3", ["--version"]);
  return installOnce(`python-${digest(stdout + PYTHON_SERVERS.join())}`, async (folder) => {
    await run("python3", ["-m", "venv", folder], { timeout: INSTALL_MS });
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PYTHON_SERVERS];
    await run(path.join(folder, "bin/python3"), pip, { timeout: INSTALL_MS });
  });
}

/** A folder that is whole or not there; several test files may want it at once. */
async function installOnce(name: string, install: (folder: string) => Promise<void>): Promise<string> {
  const folder = path.join(CACHE, name);
  const mark = path.join(folder, "installed");
  for (;;) {
    if (await exists(mark)) return folder;
    // An environment of Python knows its own path, so it is made in its place; the lock keeps the others waiting.
    const lock = `${folder}.lock`;
    try {
      await mkdir(CACHE, { recursive: true });
      await mkdir(lock);
    } catch {
      if (Date.now() - (await ageOf(lock)) > INSTALL_MS * 2) await rm(lock, { recursive: true, force: true });
      await new Promise((resolve) => setTimeout(resolve, 250));
      continue;
    }
    try {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder);
      await install(folder);
      await mkdir(`${mark}.new`);
      await rename(`${mark}.new`, mark);
    } finally {
      await rm(lock, { recursive: true, force: true });
    }
  }
}

const digest = (of: string | Buffer) => createHash("sha256").update(of).digest("hex").slice(0, 12);

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

async function ageOf(file: string): Promise<number> {
  return stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => Date.now(),
  );
}

async function orSkip(what: string, install: () => Promise<string>): Promise<string | undefined> {
  try {
    return await install();
  } catch (error) {
    if (process.env["DYNAMIC_MCP_REQUIRE_PARTS"] === "1") throw error;
    process.stderr.write(`skipped, cannot be installed: ${what}: ${(error as Error).message}\n`);
    return undefined;
  }
}
