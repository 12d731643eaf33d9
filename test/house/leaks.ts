/**
 * Holds that tests put things back: when all have run, the temporary folder is empty and no process of ours lives on.
 * Vitest calls `setup` before the first test file and what it returns after the last.
 */
import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT } from "./project-files.ts";

/** Tools of others write these, not our tests. */
const FOREIGN = /^(node-compile-cache|v8-compile-cache.*|\.?vite.*|esbuild.*)$/;

export function setup(): () => Promise<void> {
  const own = realpathSync(mkdtempSync(path.join(tmpdir(), "dynamic-mcp-tests-")));
  process.env["TMPDIR"] = own; // whoever makes a temporary folder from here on makes it there
  return async () => {
    const left = () => [...readdirSync(own).filter((name) => !FOREIGN.test(name)), ...orphans()];
    for (let looks = 0; looks < 30 && left().length > 0; looks++) await sleep(100);
    const found = left();
    rmSync(own, { recursive: true, force: true });
    if (found.length > 0) throw new Error(`tests left behind: ${found.join(", ")}`);
  };
}

/** Programs of this project that nobody waits for: their parent has gone. Only on Linux; elsewhere none. */
function orphans(): string[] {
  const found: string[] = [];
  for (const pid of list("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const command = read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
    const isOrphan = /^PPid:\s+1$/m.test(read(`/proc/${pid}/status`));
    if (isOrphan && command.includes(ROOT)) found.push(`process ${pid} (${command.slice(0, 200)})`);
  }
  return found;
}

/** A process may end between two looks at it. */
function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
