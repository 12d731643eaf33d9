import { describe, expect, it } from "vitest";
import { createMarkReader } from "./shell-marks.ts";

function read(chunks: Iterable<string | Uint8Array>) {
  const marks: string[] = [];
  let bytes = "";
  const reader = createMarkReader("word", {
    onMark: (words) => void marks.push(words),
    onBytes: (part) => (bytes += part.toString("latin1")),
  });
  for (const chunk of chunks) reader.push(Buffer.from(chunk as string, "latin1"));
  return { marks, bytes };
}

const TEXT = "a\u001eb\u001eword nearly \u001eword end 1 0\nrest\u001eword ready\n\u001ewor";

describe("marks in an output", () => {
  it("are found however the output is cut", () => {
    for (let at = 0; at <= TEXT.length; at++) {
      const { marks, bytes } = read([TEXT.slice(0, at), TEXT.slice(at)]);
      expect(marks).toEqual(["nearly \u001eword end 1 0", "ready"]);
      expect(bytes).toBe("a\u001ebrest");
    }
    expect(read(TEXT.split("")).marks).toEqual(["nearly \u001eword end 1 0", "ready"]);
  });

  it("hold nothing back that can be none", () => {
    expect(read(["abc\u001e", "d"]).bytes).toBe("abc\u001ed");
    expect(read(["\u001eword", "x"]).bytes).toBe("\u001ewordx");
    const endless = `\u001eword ${"x".repeat(9_000)}`;
    expect(read([endless])).toEqual({ marks: [], bytes: endless });
    expect(read([`${endless}\n\u001eword ok\n`]).marks).toEqual(["ok"]);
  });
});
