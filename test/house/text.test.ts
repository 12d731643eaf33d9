import { describe, expect, it } from "vitest";
import { missingFrom } from "../../scripts/complete-lock.ts";
import { projectFiles, readProjectFile } from "./project-files.ts";

/** Written in pieces, so that this file does not contain what it looks for. */
const inPieces = (...pieces: string[]) => pieces.join("");
const FOREIGN: readonly [what: string, pattern: RegExp][] = [
  ["a path of one machine", new RegExp(inPieces("(^|[^a-z.])/(?:wo", "rk)/[a-z.]|/op", "t/node\\d"))],
  ["the host of a package registry", new RegExp(inPieces("https?://(?:regi", "stry|de", "b)\\."))],
  ["how the project was made, not what it is", new RegExp(inPieces("working ", "session"), "i")],
];

describe("the project's text", () => {
  it("speaks of the project alone", () => {
    const found: string[] = [];
    for (const file of projectFiles()) {
      for (const [index, line] of readProjectFile(file).split("\n").entries()) {
        for (const [what, pattern] of FOREIGN) {
          if (pattern.test(line)) {
            found.push(`${file}:${index + 1} names ${what}: ${line.trim().slice(0, 100)}`);
          }
        }
      }
    }
    expect(found).toEqual([]);
  });

  it("has no reminders left in the code", () => {
    const marks = new RegExp(inPieces("\\b(TO", "DO|FIX", "ME|XX", "X)\\b"));
    const code = projectFiles().filter((file) => /\.(ts|mjs)$/.test(file));
    expect(code.filter((file) => marks.test(readProjectFile(file)))).toEqual([]);
  });
});

describe("the lock file", () => {
  const lock = JSON.parse(readProjectFile("package-lock.json")) as {
    packages: Record<string, { resolved?: string; version?: string; devDependencies?: Record<string, string> }>;
  };

  it("names no registry: whichever the user has is asked", () => {
    expect(Object.entries(lock.packages).filter(([, { resolved }]) => resolved?.startsWith("http"))).toEqual([]);
  });

  it("has what every platform needs (else run: node scripts/complete-lock.ts)", () => {
    expect([...missingFrom(lock).keys()]).toEqual([]);
  });

  it("agrees with package.json, which names exact versions", () => {
    const { devDependencies, dependencies } = JSON.parse(readProjectFile("package.json")) as {
      devDependencies: Record<string, string>;
      dependencies?: Record<string, string>;
    };
    expect(lock.packages[""]?.devDependencies).toEqual(devDependencies);
    const wanted = Object.entries({ ...devDependencies, ...dependencies });
    expect(wanted.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  });
});
