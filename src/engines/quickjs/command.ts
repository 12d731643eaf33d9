import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { entryUrl } from "../../machine/entries.ts";
import { OWN_PERMISSION_FLAG } from "../../machine/node-flags.ts";

/** How the locked child is started, and what its locks are worth on this Node. */
export interface ChildCommand {
  command: string;
  args: string[];
  env: Record<string, string>;
  /** Node 25 and later also deny the network to a process with permissions. */
  isNetworkDenied: boolean;
}

/**
 * The permission model with leave to read one file: the child's own. No file system, no child processes, no workers, no
 * addons, no WASI. The environment holds the time zone alone.
 */
export function childCommand(): ChildCommand {
  const file = realpathSync(fileURLToPath(entryUrl("quickjs-child")));
  const args = [
    OWN_PERMISSION_FLAG,
    `--allow-fs-read=${file}`,
    "--disable-proto=delete",
    "--disallow-code-generation-from-strings",
    "--no-addons",
    "--expose-gc",
    // Helper threads would only make copies of what one thread can do: boot, memory and p50 are better without.
    "--single-threaded",
    // A small young generation: what is large lives outside of V8's heap, in the interpreter's memory.
    "--max-semi-space-size=1",
    "--max-old-space-size=256",
    // Half of the 8 MiB that Linux and macOS give a program; see STACK_BYTES of the interpreter.
    ...(process.platform === "win32" ? [] : ["--stack-size=3900"]),
  ];
  return {
    command: process.execPath,
    args: [...args, file],
    env: { TZ: "UTC" },
    isNetworkDenied: process.allowedNodeEnvironmentFlags.has("--allow-net"),
  };
}
