import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFrameReader, frame, FrameTooLarge } from "./frames.ts";

const bytesOf = (parts: Uint8Array[]) => Buffer.concat(parts);

describe("frames", () => {
  it("come out as they went in, however the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 50 })),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        (sent, cuts) => {
          const stream = bytesOf(sent.flatMap((part) => frame([part.subarray(0, 3), part.subarray(3)])));
          const got: Uint8Array[] = [];
          const reader = createFrameReader(50, (each) => got.push(each));
          for (let at = 0; at < stream.length;) {
            const size = cuts.next().value as number;
            reader.push(stream.subarray(at, (at += size)));
          }
          expect(got.map((each) => [...each])).toEqual(sent.map((each) => [...each]));
        },
      ),
    );
  });

  it("are taken up to the cap and refused beyond it by their header alone", () => {
    const got: number[] = [];
    const reader = createFrameReader(10, (each) => got.push(each.length));
    reader.push(bytesOf(frame([new Uint8Array(10)])));
    expect(got).toEqual([10]);
    expect(() => reader.push(bytesOf(frame([new Uint8Array(11)])).subarray(0, 4))).toThrow(FrameTooLarge);
  });
});
