import { expect, it } from "vitest";
import { EMPTY_SHELF, lineOf, type Offer } from "./offer.ts";
import { readOffer, writeOffer } from "./remembered.ts";

const OFFER: Offer = {
  about: {
    era: "legacy",
    version: "2025-11-25",
    transport: "stdio",
    info: { name: "é\n" },
    capabilities: { tools: {} },
  },
  shelves: {
    tool: { keys: ["a", "\u{1f600}"], starts: [0, 12, 25], text: '{"name":"a"}{"name":"\u{1f600}"}' },
    prompt: EMPTY_SHELF,
    resource: { keys: ["x:\n"], starts: [0, 14], text: '{"uri":"x:\\n"}' },
    template: EMPTY_SHELF,
  },
  quarantined: [{ kind: "tool", name: "bad", reason: "it is bad" }],
  uiUris: ["ui://a"],
  listedAt: 5,
  capabilities: {},
};

it("reads what it wrote, line by line", () => {
  const read = readOffer(writeOffer(OFFER));
  expect(read).toEqual(OFFER);
  expect(JSON.parse(lineOf(read?.shelves.tool ?? EMPTY_SHELF, 1))).toEqual({ name: "\u{1f600}" });
});

it("takes nothing that is cut or that another version wrote", () => {
  const text = writeOffer(OFFER);
  for (const wrong of ["", "{}", "{}\n", text.slice(0, -1), `${text} `, text.replace('"format":2', '"format":1')]) {
    expect(readOffer(wrong)).toBeUndefined();
  }
});
