/** Programs of ours that run in a process or thread of their own. Each is one file in `dist`. */
export type Entry = "sqlite-writer" | "schema-checker" | "quickjs-child";

/**
 * Those that Node can run from source, so that nothing stale runs while we develop. The sandbox child is not one: it
 * needs its WebAssembly inside.
 */
const SOURCES: Partial<Record<Entry, string>> = {
  "sqlite-writer": "../store/sqlite/writer.ts",
  "schema-checker": "../schemas/checker.ts",
};

export function entryUrl(name: Entry): URL {
  const isSource = import.meta.url.endsWith(".ts");
  return new URL(isSource ? (SOURCES[name] ?? `../../dist/${name}.js`) : `./${name}.js`, import.meta.url);
}
