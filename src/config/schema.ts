import type { Setting } from "./setting.ts";
import { admin, authoring, results, store, tools } from "./settings/making.ts";
import { engines, guard, packages, sandbox, secrets, upstreams } from "./settings/running.ts";
import { http, log, server } from "./settings/serving.ts";
import { audit, auth, journal, mail } from "./settings/trusting.ts";

/**
 * Everything that an operator may set, in groups. The loader, `--help`, the JSON Schema, the reference page and the
 * templates for environment files are all made from this one tree.
 */
const SCHEMA = {
  server,
  http,
  tools,
  results,
  authoring,
  admin,
  auth,
  engines,
  sandbox,
  packages,
  secrets,
  guard,
  store,
  journal,
  audit,
  log,
  upstreams,
  mail,
};

type Schema = typeof SCHEMA;
type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** All values, complete and checked: `settings.http.port`. Paths are absolute. */
export type Settings = { readonly [G in keyof Schema]: { readonly [K in keyof Schema[G]]: ValueOf<Schema[G][K]> } };

/** One sentence for each group, for the generated pages. */
export const GROUPS: Record<keyof Schema, string> = {
  server: "What runs and where it keeps its files",
  http: "The HTTP transport",
  tools: "Listing and calling tools",
  results: "Results that are too large for a model",
  authoring: "Tools made from code",
  admin: "The operator",
  auth: "Who callers are",
  engines: "Running code",
  sandbox: "Sandboxes with the Node API, shells, and what code may reach",
  packages: "npm packages of tools",
  secrets: "Secrets that tools may read",
  guard: "How many calls",
  store: "What is remembered",
  journal: "The journal of calls",
  audit: "The audit file",
  log: "Logging",
  upstreams: "Other servers",
  mail: "Mail",
};

/** A setting with its place in the tree. */
export interface Leaf {
  /** `http.port` */
  key: string;
  group: keyof Schema;
  name: string;
  setting: Setting<unknown>;
}

/** All settings in the order of the tree. */
export function leaves(): Leaf[] {
  return (Object.keys(SCHEMA) as (keyof Schema)[]).flatMap((group) =>
    Object.entries<Setting<unknown>>(SCHEMA[group]).map(([name, one]) => ({
      key: `${group}.${name}`,
      group,
      name,
      setting: one,
    })),
  );
}

/** What must show nowhere. */
export function secretValues(settings: Settings): string[] {
  return leaves()
    .filter((leaf) => leaf.setting.isSecret)
    .map(({ group, name }) => (settings[group] as Record<string, unknown>)[name])
    .filter((value): value is string => typeof value === "string");
}
