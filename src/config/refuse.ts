import { DynamicMcpError } from "../core/errors.ts";
import { isLoopback } from "../core/loopback.ts";
import type { ConfigProblem, Origin } from "./origin.ts";
import type { Leaf, Settings } from "./schema.ts";

const OWN_PATHS = ["/livez", "/readyz", "/metrics"];

/** What is wrong although each value is fine by itself. Protection that was asked for and does not exist is refused. */
export function refusals(settings: Settings, origins: ReadonlyMap<string, Origin>): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const refuse = (key: string, message: string) => problems.push({ where: origins.get(key)?.where ?? key, message });
  const { auth, store, admin, http, upstreams } = settings;
  if (auth.mode !== "none") {
    refuse(
      "auth.mode",
      `authentication by ${auth.mode} does not exist yet, so nobody would be kept out; use none and listen on loopback`,
    );
  }
  if (store.backend === "postgres") {
    refuse("store.backend", "the PostgreSQL store does not exist yet; use sqlite");
  }
  if (admin.requireToken && !admin.token) {
    refuse("admin.requireToken", "the admin token is required but none is set; set MCP_ADMIN_TOKEN");
  }
  if (upstreams.attach && !admin.token) {
    refuse("upstreams.attach", "attaching servers needs an admin token, or everybody could make us start programs; set MCP_ADMIN_TOKEN"); // prettier-ignore
  }
  if ([...OWN_PATHS, ...(http.sse ? ["/sse"] : [])].includes(http.path.replace(/\/+$/, ""))) {
    refuse("http.path", `${http.path} is used for something else; choose another path`);
  }
  return problems;
}

/** What is worth a word at start: settings that do nothing yet. */
export function remarks(settings: Settings, origins: ReadonlyMap<string, Origin>, leaves: readonly Leaf[]): string[] {
  const found: string[] = [];
  for (const { key, group, name, setting } of leaves) {
    const origin = origins.get(key);
    const { until, obsolete } = setting;
    if ((until ?? obsolete) === undefined || !origin || origin.from === "default") continue;
    const value: unknown = (settings[group] as Record<string, unknown>)[name];
    if (JSON.stringify(value) === JSON.stringify(setting.default)) continue;
    found.push(`${origin.where} has no effect${until === undefined ? `: ${obsolete}` : ` until ${until}`}`);
  }
  return found;
}

/**
 * Refuses to listen where others can reach us while nobody has to prove who they are.
 *
 * @throws CONFIG_INVALID
 */
export function assertMayListen(settings: Settings): void {
  const { host, allowUnauthenticated } = settings.http;
  if (isLoopback(host) || allowUnauthenticated || settings.auth.mode !== "none") return;
  throw new DynamicMcpError(
    "CONFIG_INVALID",
    `listening on ${host} would let everybody who reaches this machine run code here, without authentication; ` +
      "use --host 127.0.0.1, or say --allow-unauthenticated (MCP_ALLOW_UNAUTHENTICATED=true) if something else keeps others out",
    { data: { host } },
  );
}
