import { describe, expect, it } from "vitest";
import { LineReader } from "./line-reader.ts";

function read(maxBytes: number, ...chunks: (string | Buffer)[]) {
  const lines: string[] = [];
  const long: [string, string][] = [];
  const reader = new LineReader(
    maxBytes,
    (line) => lines.push(line),
    (head, tail) => long.push([head, tail]),
  );
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  reader.end();
  return { lines, long };
}

describe("LineReader", () => {
  it("finds lines wherever the stream is torn, with either line end, and the last without one", () => {
    const text = "one\ntwo\r\n\nthr\u00e9e \u{1f600}\nlast";
    const bytes = Buffer.from(text);
    for (let size = 1; size <= bytes.length; size++) {
      const chunks = [];
      for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
      expect(read(100, ...chunks).lines).toEqual(["one", "two", "thr\u00e9e \u{1f600}", "last"]);
    }
  });

  it("takes a line of exactly the limit and throws away one that is longer by a byte, whole or torn", () => {
    const fits = "a".repeat(1_000);
    for (const torn of [[`${fits}\n${fits}b\nnext\n`], [fits, `\n${fits.slice(1)}`, "ab", "\nne", "xt\n"]]) {
      const { lines, long } = read(1_000, ...torn);
      expect(lines).toEqual([fits, "next"]);
      expect(long.map(([head, tail]) => [head.length, tail.length, tail.at(-1)])).toEqual([[512, 512, "b"]]);
    }
  });

  it("keeps the very ends of a line that is thrown away", () => {
    const { long } = read(10, "start", "x".repeat(100_000), "y", "z".repeat(20), "end", "\n");
    expect(long[0]?.[0].slice(0, 6)).toBe("startx");
    expect(long[0]?.[1].slice(-25)).toBe(`xy${"z".repeat(20)}end`);
  });
});
