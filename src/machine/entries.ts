/** Programs of ours that run in a process or thread of their own. Each is one file in `dist`. */
export type Entry =
  | "sqlite-writer"
  | "schema-checker"
  | "quickjs-child"
  | "node-runner"
  | "docker-supervisor"
  | "package-resolver"
  | "package-installer"
  | "package-bundler";

/**
 * Those that Node can run from source, so that nothing stale runs while we develop. What runs in sandboxes is not among
 * them: the interpreter needs its WebAssembly inside, the runner has to be one file.
 */
const SOURCES: Partial<Record<Entry, string>> = {
  "sqlite-writer": "../store/sqlite/writer.ts",
  "schema-checker": "../schemas/checker.ts",
  "package-resolver": "./packages/resolver.ts",
};

/** Seen by a Node of another age, in a sandbox without our package.json, it has to say itself what it is. */
const FILES: Partial<Record<Entry, string>> = {
  "node-runner": "node-runner.cjs",
  "docker-supervisor": "docker-supervisor.cjs",
};

export function entryUrl(name: Entry): URL {
  const isSource = import.meta.url.endsWith(".ts");
  const file = FILES[name] ?? `${name}.js`;
  return new URL(isSource ? (SOURCES[name] ?? `../../dist/${file}`) : `./${file}`, import.meta.url);
}
