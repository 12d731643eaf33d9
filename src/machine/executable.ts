import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";

const isWindows = process.platform === "win32";

/**
 * Finds what a command names, the way the system does, so that a missing one can be told of before anything is started.
 *
 * @returns undefined when there is no such program
 */
export function findExecutable(
  command: string,
  env: Readonly<Record<string, string>>,
  cwd: string | undefined,
): string | undefined {
  const endings = isWindows ? windowsEndings(command, env) : [""];
  const isPath = command.includes("/") || (isWindows && command.includes("\\"));
  const folders = isPath ? [cwd ?? "."] : searchPath(env);
  for (const folder of folders) {
    for (const ending of endings) {
      const file = path.resolve(folder, command + ending);
      if (isExecutable(file)) return file;
    }
  }
  return undefined;
}

export function isFolder(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Windows finds its variables in any case. */
function searchPath(env: Readonly<Record<string, string>>): string[] {
  const name = isWindows ? Object.keys(env).find((key) => key.toUpperCase() === "PATH") : "PATH";
  const given = name === undefined ? undefined : env[name];
  return (given ?? (isWindows ? "" : "/usr/local/bin:/usr/bin:/bin")).split(path.delimiter).map((each) => each || ".");
}

function windowsEndings(command: string, env: Readonly<Record<string, string>>): string[] {
  const name = Object.keys(env).find((key) => key.toUpperCase() === "PATHEXT");
  const endings = ((name && env[name]) || ".EXE;.CMD;.BAT;.COM").split(";");
  return path.extname(command) === "" ? endings : ["", ...endings];
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, isWindows ? constants.F_OK : constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * How Windows is told to run a batch file (`npx.cmd` and its like) with exactly these arguments: it starts them only
 * through its shell, which reads the line once, and such files pass it on through the shell a second time.
 *
 * @see https://github.com/moxystudio/node-cross-spawn, whose quoting this is
 */
export function batchCommand(file: string, args: readonly string[]): { command: string; args: string[] } {
  const line = [escapeMeta(file), ...args.map((arg) => escapeMeta(escapeMeta(quote(arg))))].join(" ");
  return { command: "cmd.exe", args: ["/d", "/s", "/c", `"${line}"`] };
}

function escapeMeta(text: string): string {
  return text.replaceAll(/[()\][%!^"`<>&|;, *?]/g, "^$&");
}

function quote(arg: string): string {
  const escaped = arg.replaceAll(/(\\*)"/g, String.raw`$1$1\"`).replace(/(\\*)$/, "$1$1");
  return `"${escaped}"`;
}
