import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { interruptibly, leave, watchForStop, type StoppableProcess } from "./stop.ts";

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
  const process: EventEmitter & { stdout: EventEmitter } = Object.assign(new EventEmitter(), {
    stdout,
    stderr: Object.assign(new EventEmitter(), { write: (text: string) => written.push(text) }),
    pid: 7,
    platform: "linux",
    kill(pid: number, signal: string): never {
      throw new Error(`${pid} got ${signal}, with ${process.listenerCount(signal)} listeners`);
    },
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
    expect(() => process.emit("SIGINT")).toThrow("7 got SIGINT, with 0 listeners");
  });

  it("takes one Ctrl-C that arrives several times for one", async () => {
    const { process, stopped, clock } = fakeProcess();
    process.emit("SIGINT");
    clock.ms = 499;
    expect(() => process.emit("SIGINT")).not.toThrow();
    await expect(stopped).resolves.toBe("SIGINT");
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

describe("interruptibly", () => {
  it("leaves signals to the system while it runs, and takes them back", async () => {
    const { process, stopped } = fakeProcess();
    const count = () => process.listenerCount("SIGTERM");
    expect(interruptibly(process as unknown as StoppableProcess, count)).toBe(0);
    expect(() => interruptibly(process as unknown as StoppableProcess, () => { throw new Error("no"); })).toThrow("no"); // prettier-ignore
    expect(count()).toBe(1);
    process.emit("SIGTERM");
    await expect(stopped).resolves.toBe("SIGTERM");
  });
});

describe("leave", () => {
  it.each([
    ["exits when nobody asked for it", 3, undefined, "left with 3"],
    ["exits when it stopped well", 0, "SIGTERM", "left with 0"],
    ["ends by the signal that interrupted it", 130, "SIGINT", "7 got SIGINT, with 0 listeners"],
    ["exits when a call was cancelled by somebody else", 130, undefined, "left with 130"],
  ] as const)("%s", (_, code, signal, how) => {
    const { process } = fakeProcess();
    expect(() => leave(process as unknown as StoppableProcess, code, signal)).toThrow(how);
  });
});
