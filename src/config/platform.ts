import { posix, win32 } from "node:path";

/** What decides where a platform keeps things. `env` is the process's environment. */
export interface Machine {
  env: Readonly<Record<string, string | undefined>>;
  homeDir: string;
  platform: NodeJS.Platform;
}

/** Path rules of a platform, not those of the one we run on, so that each can be tested everywhere. */
export function pathRules(platform: NodeJS.Platform): typeof posix {
  return platform === "win32" ? win32 : posix;
}

/**
 * Where a user's programs keep data: `$XDG_DATA_HOME` or `~/.local/share`, `~/Library/Application Support`,
 * `%LOCALAPPDATA%`; with our name. Never the current folder.
 *
 * @see XDG Base Directory Specification 0.8
 */
export function platformDataDir(machine: Machine): string {
  return userDir(machine, { xdg: "XDG_DATA_HOME", unix: ".local/share", mac: "Library/Application Support" });
}

/** Where a user's configuration files lie. */
export function platformConfigDir(machine: Machine): string {
  return userDir(machine, { xdg: "XDG_CONFIG_HOME", unix: ".config", mac: "Library/Application Support" });
}

/** Where things lie that may be deleted at any time. Private to the user, unlike the folder for temporary files. */
export function platformCacheDir(machine: Machine): string {
  const { join } = pathRules(machine.platform);
  const dir = userDir(machine, { xdg: "XDG_CACHE_HOME", unix: ".cache", mac: "Library/Caches" });
  return machine.platform === "win32" ? join(dir, "cache") : dir;
}

function userDir({ env, homeDir, platform }: Machine, names: { xdg: string; unix: string; mac: string }): string {
  const { join, isAbsolute } = pathRules(platform);
  if (platform === "win32") return join(env["LOCALAPPDATA"] || join(homeDir, "AppData", "Local"), "dynamic-mcp");
  if (platform === "darwin") return join(homeDir, names.mac, "dynamic-mcp");
  const xdg = env[names.xdg];
  return join(xdg && isAbsolute(xdg) ? xdg : join(homeDir, names.unix), "dynamic-mcp");
}
