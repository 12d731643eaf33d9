import { describe, expect, it } from "vitest";
import type { Caller } from "../core/caller.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { Content, ToolResult } from "../core/item.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { keepRawText } from "../core/raw-text.ts";
import { SILENT } from "../core/source.ts";
import type { ResultStore } from "../store/store.ts";
import { createResults, type ResultsOptions } from "./create-results.ts";
import { createMemoryResults } from "./fixtures/memory-results.ts";

const caller = (id: string): Caller => ({ principal: { id, kind: "user", isAdmin: false } });
const ANN = caller("ann");
const text = (value: string): Content => ({ type: "text", text: value });
const of = (...content: Content[]): ToolResult => ({ content });

function open(options: Partial<ResultsOptions> = {}) {
  const store = createMemoryResults();
  const clock = { at: Date.UTC(2026, 0, 1) };
  const results = createResults({ store, log: SILENT, now: () => clock.at, limitBytes: 10_000, ...options });
  const shorten = (result: ToolResult, hasOutputSchema = false) =>
    results.shorten(result, { caller: ANN, tool: "report", hasOutputSchema });
  /** Shortens a text and gives its handle. */
  const keep = async (whole: string) => String(metaOf(await shorten(of(text(whole))))["handle"]);
  return { store, clock, results, shorten, keep };
}

const metaOf = ({ _meta }: ToolResult) => (_meta?.["dynamic-mcp/result"] ?? {}) as JsonObject;
const textAt = ({ content }: ToolResult, at = 0) => String(content[at]?.["text"]);

describe("an answer within the limit", () => {
  it.each<[string, ToolResult]>([
    ["of the largest text", of(text("x".repeat(10_000)))],
    ["of few long characters", of(text("\u00e9".repeat(5_000)))],
    ["with a large image", of({ type: "image", data: "A".repeat(100_000), mimeType: "image/png" })],
    ["without content", {} as ToolResult],
    ["of blocks that are none", { content: [null, 1, { type: "text", text: 5 }] } as unknown as ToolResult],
  ])("%s stays the very same", async (_title, result) => {
    expect(await open().shorten(result)).toBe(result);
  });

  it("is not even looked at when the text that it came as is short", async () => {
    const result = of(text("x".repeat(10_001)));
    keepRawText(result, "short");
    expect(await open().shorten(result)).toBe(result);
  });
});

describe("an answer past the limit", () => {
  it.each<[string, ToolResult]>([
    ["by one byte", of(text("x".repeat(10_001)))],
    ["by bytes, not characters", of(text("\u00e9".repeat(5_001)))],
    ["by several texts", of(text("x".repeat(6_000)), text("y".repeat(4_001)))],
    ["by an embedded text", of({ type: "resource", resource: { uri: "x://1", text: "x".repeat(10_001) } })],
    ["by its structure alone", { content: [], structuredContent: { list: Array.from({ length: 4_000 }, () => "x") } }],
  ])("%s becomes a preview with a handle", async (_title, result) => {
    const { shorten, results } = open();
    const shortened = await shorten(result);
    expect(Buffer.byteLength(JSON.stringify(shortened))).toBeLessThan(8_000);
    const { handle, chars, expiresAt } = metaOf(shortened);
    expect(handle).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(expiresAt).toBe("2026-01-01T01:00:00.000Z");
    expect(textAt(shortened)).toContain(`result_read {"handle":"${String(handle)}"}`);
    expect(textAt(shortened)).toContain(`dynamic-mcp://results/${String(handle)}`);
    expect((await results.text(ANN, String(handle))).text).toHaveLength(Number(chars));
  });

  it("keeps its failure, its other blocks and its own facts", async () => {
    const image = { type: "image", data: "AAAA", mimeType: "image/png" };
    const link = { type: "resource_link", uri: "x://1", name: "one" };
    const { shorten } = open();
    const shortened = await shorten({
      content: [image, text("x".repeat(20_000)), link],
      isError: true,
      _meta: { own: 1 },
    });
    expect(shortened).toMatchObject({ isError: true, _meta: { own: 1 } });
    expect(shortened.content.map(({ type }) => type)).toEqual(["image", "text", "resource_link"]);
    expect([shortened.content[0], shortened.content[2]]).toEqual([image, link]);
  });

  it("begins with whole lines, and never with half a character", async () => {
    const { shorten } = open();
    const lines = textAt(await shorten(of(text("a line of text\n".repeat(1_000)))));
    expect(
      lines
        .split("\n")
        .slice(0, -1)
        .every((line) => line === "a line of text"),
    ).toBe(true);
    const crabs = textAt(await shorten(of(text(`x${"\u{1f980}".repeat(5_000)}`)))).split("\n")[0];
    expect(crabs).toMatch(/^x\u{1f980}+$/u);
  });

  it("drops structure that no schema promised, and keeps what one did", async () => {
    const structuredContent = { list: Array.from({ length: 4_000 }, (_, n) => n) };
    const result = { content: [text(JSON.stringify(structuredContent))], structuredContent };
    const { shorten, results } = open();
    const without = await shorten(result);
    expect(without).not.toHaveProperty("structuredContent");
    const kept = await results.text(ANN, String(metaOf(without)["handle"]));
    expect(kept).toEqual({ text: JSON.stringify(structuredContent), mimeType: "application/json" });
    const withSchema = await shorten(result, true);
    expect(withSchema.structuredContent).toBe(structuredContent);
    expect(textAt(withSchema)).toContain("result_read");
  });

  it("keeps a few words beside much structure where they are", async () => {
    const { shorten } = open();
    const shortened = await shorten({
      content: [text("4,000 found")],
      structuredContent: { list: Array(4_000).fill("x") },
    });
    expect(textAt(shortened, 0)).toBe("4,000 found");
    expect(textAt(shortened, 1)).toMatch(/^\{"list":\["x"/);
  });

  it("loses no words that say something else than its structure", async () => {
    const { shorten, results } = open();
    const shortened = await shorten({
      content: [text("words ".repeat(1_000))],
      structuredContent: { list: Array(4_000).fill("x") },
    });
    const { text: kept } = await results.text(ANN, String(metaOf(shortened)["handle"]));
    expect(JSON.parse(kept)).toMatchObject({
      content: [text("words ".repeat(1_000))],
      structuredContent: { list: expect.any(Array) },
    });
  });

  it("is shortened and says so when it cannot be kept", async () => {
    const failing: ResultStore = {
      ...createMemoryResults(),
      put: () => Promise.reject(new DynamicMcpError("STORE_UNAVAILABLE", "the disk is full")),
    };
    for (const results of [open({ store: failing }), open({ maxBytes: 15_000 })]) {
      const shortened = await results.shorten(of(text("x".repeat(15_001))));
      expect(textAt(shortened)).toContain("The rest is lost");
      expect(metaOf(shortened)).toEqual({ chars: 15_001 });
    }
  });

  it("survives a structure that is nested deeper than the stack", async () => {
    const structuredContent = JSON.parse("[".repeat(200_000) + "]".repeat(200_000)) as Json;
    const shortened = await open().shorten({ content: [], structuredContent });
    expect(shortened).not.toHaveProperty("structuredContent");
  });
});

describe("a kept result", () => {
  it("is its owner's, until it expires [results-owned]", async () => {
    const { keep, results, clock } = open();
    const handle = await keep("x".repeat(20_000));
    await expect(results.read(caller("bob"), handle, {})).rejects.toMatchObject({ code: "RESULT_NOT_FOUND" });
    await expect(results.text(caller("bob"), handle)).rejects.toMatchObject({ code: "RESULT_NOT_FOUND" });
    expect(await results.read(ANN, handle, {})).toMatchObject({ handle, tool: "report" });
    expect(await results.read(ANN, `dynamic-mcp://results/${handle}`, {})).toMatchObject({ handle, tool: "report" });
    expect(await results.prune()).toBe(0);
    clock.at += 3_600_000;
    await expect(results.read(ANN, handle, {})).rejects.toMatchObject({ code: "RESULT_NOT_FOUND" });
    expect(await results.prune()).toBe(1);
  });

  it("is not found by what is no handle", async () => {
    const { results } = open({ store: { ...createMemoryResults(), get: () => Promise.reject(new Error("asked")) } });
    for (const handle of ["", "x", "' OR 1=1 --", "x".repeat(23)])
      await expect(results.read(ANN, handle, {})).rejects.toMatchObject({ code: "RESULT_NOT_FOUND" });
  });
});
