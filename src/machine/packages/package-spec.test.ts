import { describe, expect, it } from "vitest";
import { createNameRules } from "./name-rules.ts";
import { checkPackageSpec } from "./package-spec.ts";

function specOf(text: string) {
  const at = text.indexOf("@", 1);
  return at < 0 ? { name: text, version: "latest" } : { name: text.slice(0, at), version: text.slice(at + 1) };
}

describe("a package that is asked for", () => {
  it.each([
    "zod@",
    "zod@latest",
    "zod@4.1.0",
    "zod@^4.1.0",
    "zod@1.x || >=2.5.0 <3",
    "zod@1.2.3 - 2.3.4",
    "zod@4.0.0-beta.1+build",
    "zod@*",
    "@scope/name@~1.2",
    `a${"b".repeat(213)}@latest`,
  ])("is taken: %j", async (text) => {
    await expect(checkPackageSpec(specOf(text))).resolves.toBeUndefined();
  });

  it.each([
    ["zod@git+https://example.com/zod.git", /git repository/],
    ["zod@git@example.com:a/b.git", /git repository/],
    ["zod@github:a/b", /git repository/],
    ["zod@a/b", /git repository/],
    ["zod@a/b#main", /git repository/],
    ["zod@https://example.com/zod.tgz", /address/],
    ["zod@file:../zod", /file/],
    ["zod@../zod", /file/],
    ["zod@/etc/zod", /file/],
    ["zod@C:\\zod", /file/],
    ["zod@./zod.tgz", /file/],
    ["zod@link:../zod", /file/],
    ["zod@workspace:*", /workspace/],
    ["zod@npm:other@1", /alias/],
    ["zod@next", /tag "next"/],
    ["zod@1.2.3.4.5!", /not a version/],
    ["zod@^1 $(id)", /not a version/],
    [`zod@${"1 || ".repeat(100)}1`, /longer than/],
    ["fs", /part of Node itself.*"node:fs"/],
    ["node:crypto", /part of Node itself/],
    ["fs/promises", /part of Node itself/],
    ["Zod", /capital letters/],
    ["../zod", /not the name/],
    ["zod/sub", /not the name/],
    ["@scope", /not the name/],
    ["@/name", /not the name/],
    [".hidden", /not the name/],
    ["_private", /not the name/],
    ["", /not the name/],
    ["a b", /not the name/],
    ["node_modules", /not the name/],
    [`a${"b".repeat(214)}`, /longer than 214/],
  ])("is refused with a reason: %j", async (text, why) => {
    await expect(checkPackageSpec(specOf(text))).rejects.toMatchObject({
      code: "PACKAGE_NOT_ALLOWED",
      message: expect.stringMatching(why) as string,
    });
  });
});

describe("name rules", () => {
  const verdicts = (allowed: string[], blocked: string[], names: string[]) => {
    const rules = createNameRules(allowed, blocked);
    return names.filter((name) => {
      try {
        rules.check(name);
        return true;
      } catch {
        return false;
      }
    });
  };

  it("lets everything in that is not blocked, when nothing is named", () => {
    expect(verdicts([], ["npm", "@evil/*"], ["zod", "npm", "npm-x", "@evil/a", "@good/a"])).toEqual(["zod", "npm-x", "@good/a"]); // prettier-ignore
  });

  it("lets in only what is named, and blocking wins", () => {
    expect(verdicts(["zod", "@a/*", "lodash.*"], ["@a/b"], ["zod", "zod2", "@a/b", "@a/c", "@ab/c", "lodash.x", "lodash"])).toEqual(["zod", "@a/c", "lodash.x"]); // prettier-ignore
    expect(verdicts(["*"], [], ["zod", "@a/b"])).toEqual(["zod", "@a/b"]);
    expect(verdicts([], ["*"], ["zod", "@a/b"])).toEqual([]);
  });

  it("names the package, and who asked for it", () => {
    const rules = createNameRules([], ["pm2"]);
    expect(() => rules.check("pm2", "runner@1.0.0")).toThrow(/pm2 is blocked .*runner@1\.0\.0 depends on it/);
  });

  it("answers at once for a pattern of many stars", () => {
    const rules = createNameRules([`${"*a".repeat(50)}b`], []);
    expect(() => rules.check("a".repeat(214))).toThrow(/not among/);
  });
});
