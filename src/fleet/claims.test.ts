import { expect, it } from "vitest";
import { Claims } from "./claims.ts";

it("remembers who handed out a resource, for those who got it, unless its URI is too long", () => {
  const claims = new Claims(() => true);
  const uris = [8_192, 8_193].map((chars) => "made://".padEnd(chars, "x"));
  const content = uris.map((uri) => ({ type: "resource_link", uri, name: "made" }));
  claims.note({ content }, "one", "ann");
  claims.note({ content }, "other", "ann");
  expect(uris.map((uri) => claims.serverOf(uri, "ann"))).toEqual(["one", undefined]);
  expect(claims.serverOf(uris[0] ?? "", "bob")).toBeUndefined();
});
