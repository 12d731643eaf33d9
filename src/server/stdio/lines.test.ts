import { PassThrough, Writable } from "node:stream";
import { expect, it, vi } from "vitest";
import { createLineWriter } from "./lines.ts";

it("tells a client that lags behind of each change once, when it keeps up again; drops what may get lost", async () => {
  const lines: string[] = [];
  let goOn: () => void = () => {};
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const line = chunk.toString().trimEnd();
      lines.push(line.length > 100 ? "large" : line);
      if (line.length > 100) goOn = done;
      else done();
    },
  });
  const input = new PassThrough();
  const writer = createLineWriter(output, input, () => {});
  writer.write("x".repeat(5_000_000));
  expect(input.isPaused()).toBe(true);
  for (let times = 0; times < 3; times++) {
    writer.notice("changed");
    writer.offer("progress");
  }
  writer.notice("changed too");
  expect(lines).toEqual(["large"]);
  goOn();
  await vi.waitFor(() => expect(lines.join("\n")).toBe("large\nchanged\nchanged too"));
  expect(input.isPaused()).toBe(false);
  writer.close();
});
