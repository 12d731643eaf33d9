import { existsSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findNode, type NodeInJail } from "../bubblewrap.ts";
import { entryUrl } from "../entries.ts";

export interface InstallerJail {
  kind: "bubblewrap" | "permissions";
  /**
   * How the installer is started for one task.
   *
   * @param folder   what it may write, and all of it
   * @param archives what it reads
   */
  command(folder: string, archives: string): { command: string; args: string[]; env: Record<string, string> };
}

/** Against what the kernel does not count otherwise: no dump of memory, few open files, CPU for the longest installation. */
const RLIMITS = ["--core=0", "--nofile=256", "--cpu=300"];
const PRLIMIT = ["/usr/bin/prlimit", "/bin/prlimit", "/run/current-system/sw/bin/prlimit"];

/**
 * Node's permission model: reads itself, the archives and the new layer; writes the new layer; starts nothing.
 * Where there is no bubblewrap, that is all there is.
 */
export function permissionsJail(): InstallerJail {
  return {
    kind: "permissions",
    command: (folder, archives) => ({
      command: process.execPath,
      args: nodeArguments(folder, archives),
      env: { TZ: "UTC" },
    }),
  };
}

/**
 * The same inside of namespaces: of the machine there are only Node, the libraries it is linked with, the archives and
 * the new layer; no network, and limits for what it uses. As our own user, unlike the jail of tool code: what it writes
 * has to be ours, and nothing of what it unpacks is run in there.
 */
export async function bubblewrapJail(): Promise<InstallerJail> {
  const node = await findNode();
  const prlimit = PRLIMIT.find((file) => existsSync(file));
  return {
    kind: "bubblewrap",
    command(folder, archives) {
      const bubblewrap = ["bwrap", ...namespaces(node, folder, archives), "--", node.program, ...nodeArguments(folder, archives)]; // prettier-ignore
      const [command = "", ...args] = prlimit === undefined ? bubblewrap : [prlimit, ...RLIMITS, ...bubblewrap];
      return { command, args, env: { PATH: "/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin" } };
    },
  };
}

function namespaces({ files }: NodeInJail, folder: string, archives: string): string[] {
  const shown = [...files, ...[installerFile(), archives].map((path) => [path, path] as const)];
  return [
    ...["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"],
    ...["--clearenv", "--setenv", "TZ", "UTC"],
    ...["--tmpfs", "/", "--proc", "/proc", "--dev", "/dev"],
    ...shown.flatMap(([here, inside]) => ["--ro-bind", here, inside]),
    ...["--bind", folder, folder, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"],
  ];
}

function nodeArguments(folder: string, archives: string): string[] {
  const file = installerFile();
  const known = process.allowedNodeEnvironmentFlags;
  return [
    known.has("--permission") ? "--permission" : "--experimental-permission",
    ...[file, archives, folder].map((path) => `--allow-fs-read=${path}`),
    `--allow-fs-write=${folder}`,
    "--disable-proto=delete",
    "--disallow-code-generation-from-strings",
    "--no-addons",
    "--max-old-space-size=128",
    file,
  ];
}

function installerFile(): string {
  try {
    return realpathSync(fileURLToPath(entryUrl("package-installer")));
  } catch (cause) {
    throw new Error("the installer of packages is missing from the program", { cause });
  }
}
