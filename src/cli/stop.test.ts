import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { watchForStop, type StoppableProcess } from "./stop.ts";

class Left extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`left with ${code}`);
    this.code = code;
  }
}

function fakeProcess() {
  const written: string[] = [];
  const stdout = new EventEmitter();
  const process = Object.assign(new EventEmitter(), {
    stdout,
    stderr: Object.assign(new EventEmitter(), { write: (text: string) => written.push(text) }),
    exit(code: number): never {
      throw new Left(code);
    },
  });
  const clock = { ms: 0 };
  const stopped = watchForStop(process as unknown as StoppableProcess, () => clock.ms);
  return { process, stopped, written, clock };
}

describe("watchForStop", () => {
  it("asks to stop at the first signal and leaves at the second", async () => {
    const { process, stopped, clock } = fakeProcess();
    process.emit("SIGTERM");
    await stopped;
    clock.ms = 501;
    expect(() => process.emit("SIGINT")).toThrow("left with 130");
  });

  it("takes one Ctrl-C that arrives several times for one", async () => {
    const { process, stopped, clock } = fakeProcess();
    process.emit("SIGINT");
    clock.ms = 499;
    expect(() => process.emit("SIGINT")).not.toThrow();
    await expect(stopped).resolves.toBeUndefined();
  });

  it("asks to stop when the reader goes away", async () => {
    const { process, stopped } = fakeProcess();
    process.stdout.emit("error", Object.assign(new Error("broken pipe"), { code: "EPIPE" }));
    await expect(stopped).resolves.toBeUndefined();
  });

  it("leaves with 70 and the stack after what nobody caught", () => {
    const { process, written } = fakeProcess();
    expect(() => process.emit("uncaughtException", new Error("oh"))).toThrow("left with 70");
    expect(() => process.stdout.emit("error", new Error("disk"))).toThrow("left with 70");
    expect(written[0]).toContain("Error: oh");
  });
});
