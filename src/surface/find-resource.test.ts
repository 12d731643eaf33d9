import { expect, it } from "vitest";
import { LOCAL } from "../core/caller.ts";
import type { Listing, Source } from "../core/source.ts";
import { createTemplateFinder } from "./find-resource.ts";
import type { Named } from "./surface.ts";

const unused = () => {
  throw new Error("not asked for");
};
const source = { name: "servers" } as Source;
const named = (name: string): Named<"template"> => {
  const listing: Listing<"template"> = { kind: "template", id: name, name, load: unused };
  return { name, listing, source, load: unused };
};

it("is not held up by thousands of templates that each are much work", () => {
  const hard = Array.from({ length: 20_000 }, (_, n) => named(`a:${"{x}a".repeat(30)}${n % 10}{z}`));
  const find = createTemplateFinder(() => hard, []);
  find("a:", { principal: LOCAL });
  const start = performance.now();
  // Every text of the templates is in it, in order; nothing without a slash can stand between them.
  expect(find(`a:${"a".repeat(4_000)}/0123456789${"/".repeat(100)}`, { principal: LOCAL })).toBeUndefined();
  expect(performance.now() - start).toBeLessThan(3_000);
});

it("finds the narrowest that fits", () => {
  const find = createTemplateFinder(() => [named("a://{+all}"), named("a://notes/{id}")], []);
  expect(find("a://notes/7", { principal: LOCAL })).toMatchObject({
    named: { name: "a://notes/{id}" },
    variables: { id: "7" },
  });
});
