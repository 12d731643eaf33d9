/** Programs of ours that run in a process or thread of their own. Each is one file in `dist`, also while we develop. */
export type Entry = "sqlite-writer" | "quickjs-child";

export function entryUrl(name: Entry): URL {
  const isSource = import.meta.url.endsWith(".ts");
  return new URL(isSource ? `../../dist/${name}.js` : `./${name}.js`, import.meta.url);
}
