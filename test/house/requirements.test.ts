import { existsSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { projectFiles, readProjectFile, ROOT } from "./project-files.ts";
import { REQUIREMENTS } from "./requirements.ts";

/** The last thing in a title, in brackets. Ids have a hyphen, so that an index or a tuple is no citation. */
const CITATION = /\[([a-z0-9]+(?:-[a-z0-9]+)+)\]["'`]/g;

const cited = new Set(
  projectFiles()
    .filter((file) => /\.(test|contract)\.ts$/.test(file))
    .flatMap((file) => [...readProjectFile(file).matchAll(CITATION)].map(([, id]) => id)),
);

describe("what we promise", () => {
  it("has a test for each promise", () => {
    expect(REQUIREMENTS.filter(({ id }) => !cited.has(id)).map(({ id }) => id)).toEqual([]);
  });

  it("has a promise for each citation", () => {
    const promised = new Set(REQUIREMENTS.map(({ id }) => id));
    expect([...cited].filter((id) => id !== undefined && !promised.has(id))).toEqual([]);
  });

  it("names each promise once, with a source that exists", () => {
    expect(new Set(REQUIREMENTS.map(({ id }) => id)).size).toBe(REQUIREMENTS.length);
    const pages = REQUIREMENTS.map(({ source }) => source).filter((source) => !source.startsWith("https://"));
    expect(pages.filter((page) => !existsSync(path.join(ROOT, page.split("#")[0] ?? "")))).toEqual([]);
  });
});
