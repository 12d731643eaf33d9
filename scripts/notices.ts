import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Parts that a bundler's plugin puts in by itself, so that no list of inputs names them. */
const HIDDEN = ["@jitl/quickjs-wasmfile-release-sync"];

/** What a package's own files do not say. */
const ADDED: Record<string, string> = {
  "@jitl/quickjs-wasmfile-release-sync":
    "Contains QuickJS, Copyright (c) Fabrice Bellard and Charlie Gordon, under the MIT licence as below.",
};

/**
 * The licences of everything that is bundled: their authors ask that the texts travel with the code.
 *
 * @param inputs paths of bundled files, relative to `root`, as esbuild's metafile lists them
 */
export function noticesFor(root: string, inputs: Iterable<string>): string {
  const packages = new Set(HIDDEN);
  for (const path of inputs) {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
    if (name !== undefined) packages.add(name);
  }
  return [...packages].toSorted().map((name) => noticeOf(root, name)).join(`\n${"-".repeat(80)}\n`); // prettier-ignore
}

function noticeOf(root: string, name: string): string {
  const folder = join(root, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    version: string;
    license?: string;
  };
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  const text = file !== undefined && existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8") : "";
  return [`${name} ${version} (${license ?? "see text"})`, ADDED[name] ?? "", text].filter(Boolean).join("\n\n");
}
