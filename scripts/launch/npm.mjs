/** Runs npm without a shell: with the Node that is given, on any platform. Plain JavaScript for Node 14 and newer. */
import { spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import path from "node:path";

/**
 * @param {string} node  path of the Node to run npm with
 * @param {string[]} args
 * @param {string} cwd
 * @throws Error with npm's own last words when it does not exit with 0
 */
export function runNpm(node, args, cwd) {
  const cli = npmCli();
  const [command, first] = cli === undefined ? ["npm", []] : [node, [cli]];
  const done = spawnSync(command, first.concat(args), {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    // Only a bare `npm` on Windows is a script that needs a shell; its arguments are ours, never a user's.
    shell: cli === undefined && process.platform === "win32",
    windowsHide: true,
  });
  if (done.error) throw new Error(`npm cannot be started: ${done.error.message}`);
  if (done.status !== 0) {
    const words = `${done.stderr}\n${done.stdout}`.trim().split("\n").slice(0, 20).join("\n");
    throw new Error(
      `npm ${args[0]} failed (${done.status === null ? done.signal : `exit code ${done.status}`}):\n${words}`,
    );
  }
}

/** npm's program file: the npm that runs us, else the one on the PATH. `undefined` when only a launcher can be found. */
function npmCli() {
  const running = process.env.npm_execpath;
  if (running && path.basename(running) === "npm-cli.js" && existsSync(running)) return running;
  const folders = [path.dirname(process.execPath)].concat((process.env.PATH || "").split(path.delimiter));
  for (const folder of folders) {
    if (folder === "") continue;
    const beside = path.join(folder, "node_modules", "npm", "bin", "npm-cli.js");
    if (existsSync(beside)) return beside;
    const link = path.join(folder, "npm");
    if (!existsSync(link)) continue;
    const target = realpathSync(link);
    if (path.basename(target) === "npm-cli.js") return target;
  }
  return undefined;
}
