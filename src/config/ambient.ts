import type { JsonObject } from "../core/json.ts";
import { envNames } from "./setting.ts";
import type { Leaf } from "./schema.ts";

/** What was found besides settings, for the rooms that need it; nobody else reads the environment or the file. */
export interface Ambient {
  /** All of the environment: for the variables in definitions of servers, and for their processes. */
  env: Readonly<Record<string, string>>;
  /** Of the configuration file, when there is one. */
  servers?: ServersPart;
  /** Secrets that tools may be allowed to read, by name: `MCP_SECRET_TOKEN` gives `TOKEN`. */
  secrets: Readonly<Record<string, string>>;
  /**
   * How the registry is reached: npm's own variables (`npm_config_registry`, in lower case), proxies, and the tokens that
   * `.npmrc` files refer to.
   */
  npm: Readonly<Record<string, string>>;
  /** The user's folder of sockets, where rootless daemons listen. */
  runtimeDir?: string;
  homeDir: string;
}

/** The servers of a configuration file, as they are written. */
export interface ServersPart {
  /** The file, an absolute path. */
  file: string;
  folder: string;
  /** Its part `mcpServers`; `{}` when it has none. */
  raw: JsonObject;
  /** `file:line:column` of each, by name. */
  places: ReadonlyMap<string, string>;
}

const SECRET_PREFIX = "MCP_SECRET_";
const NPM_PREFIX = "npm_config_";
const NPM_ALSO = /^((NPM|NODE_AUTH)_\w*|https?_proxy|no_proxy)$/i;

export function isAmbientSecret(name: string, leaves: readonly Leaf[]): boolean {
  return name.startsWith(SECRET_PREFIX) && !leaves.some((leaf) => envNames(leaf.setting).includes(name));
}

export function readAmbient(
  env: Readonly<Record<string, string | undefined>>,
  homeDir: string,
  leaves: readonly Leaf[],
): Ambient {
  const all: [string, string][] = [];
  const secrets: [string, string][] = [];
  const npm: [string, string][] = [];
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue;
    all.push([name, value]);
    if (value === "") continue;
    if (isAmbientSecret(name, leaves)) secrets.push([name.slice(SECRET_PREFIX.length), value]);
    const lower = name.toLowerCase();
    if (lower.startsWith(NPM_PREFIX)) npm.push([lower, value]);
    else if (NPM_ALSO.test(name)) npm.push([name, value]);
  }
  const runtimeDir = env["XDG_RUNTIME_DIR"];
  return {
    env: Object.fromEntries(all),
    secrets: Object.fromEntries(secrets),
    npm: Object.fromEntries(npm),
    homeDir,
    ...(runtimeDir ? { runtimeDir } : {}),
  };
}
