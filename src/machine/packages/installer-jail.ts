import { existsSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { entryUrl } from "../entries.ts";

export type JailKind = "bubblewrap" | "permissions";

/** How the installer is started for one task. */
export interface JailedCommand {
  command: string;
  args: string[];
  env: Record<string, string>;
}

/** What a Node program needs of the machine to start, where it is there. */
const SYSTEM = ["/usr", "/lib", "/lib64", "/lib32", "/bin", "/etc/ld.so.cache", "/nix/store"];

/**
 * Node's permission model: reads itself, the archives and the new layer; writes the new layer; starts nothing. With
 * bubblewrap around it, none of the rest of the machine is there, nor a network.
 */
export function installerCommand(kind: JailKind, folder: string, archives: string): JailedCommand {
  const file = installerFile();
  const known = process.allowedNodeEnvironmentFlags;
  const node = [
    known.has("--permission") ? "--permission" : "--experimental-permission",
    ...[file, archives, folder].map((path) => `--allow-fs-read=${path}`),
    `--allow-fs-write=${folder}`,
    "--disable-proto=delete",
    "--disallow-code-generation-from-strings",
    "--no-addons",
    "--max-old-space-size=128",
    file,
  ];
  const env = { TZ: "UTC" };
  if (kind === "permissions") return { command: process.execPath, args: node, env };
  const program = realpathSync(process.execPath);
  const shown = [...SYSTEM, dirname(program), dirname(file), archives].filter((path) => existsSync(path));
  const args = [
    ...[
      "--unshare-all",
      "--die-with-parent",
      "--new-session",
      "--cap-drop",
      "ALL",
      "--clearenv",
      "--setenv",
      "TZ",
      "UTC",
    ],
    ...["--tmpfs", "/", "--proc", "/proc", "--dev", "/dev"],
    ...shown.flatMap((path) => ["--ro-bind", path, path]),
    ...["--bind", folder, folder, "--remount-ro", "/", "--chdir", "/"],
    ...["--", program, ...node],
  ];
  return { command: "bwrap", args, env: { PATH: "/usr/local/bin:/usr/bin:/bin" } };
}

function installerFile(): string {
  try {
    return realpathSync(fileURLToPath(entryUrl("package-installer")));
  } catch (cause) {
    throw new Error("the installer of packages is missing from the program", { cause });
  }
}
