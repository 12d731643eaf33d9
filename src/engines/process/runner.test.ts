import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import { entryUrl } from "../../machine/entries.ts";
import { createFrameReader, frame } from "../../machine/frames.ts";
import { spawnChild } from "../../machine/process.ts";
import { type Job, NO_ACCESS } from "../engine.ts";
import { createMember, type Member } from "./member.ts";
import { KIND, pack, unpack, type Unpacked } from "./protocol.ts";

const RUNNER = fileURLToPath(entryUrl("node-runner"));
const LIMITS = { memoryMiB: 64, argsBytes: 100, resultBytes: 1_000, logBytes: 1_000, hostCalls: { open: 1, total: 1 } };
const jobOf = (js: string): Job => ({
  program: { js, digest: "", name: "job" },
  argsJson: "{}",
  limits: LIMITS,
  seed: "seed",
  startedAtMs: 0,
  depth: 0,
  may: NO_ACCESS,
  scope: "test",
});

describe("the program inside of a sandbox with Node", () => {
  const members: Member[] = [];
  afterEach(async () => {
    for (const member of members) member.kill();
    await Promise.all(members.splice(0).map(({ exited }) => exited));
  });

  function start(...args: string[]): Member {
    const member = createMember({
      engine: "node",
      start: (onFrame) =>
        spawnChild({ command: process.execPath, args: [RUNNER, ...args], env: {}, maxFrameBytes: 100_000, stderrBytes: 1_000, onFrame }), // prettier-ignore
    });
    members.push(member);
    return member;
  }

  async function run(member: Member, js: string, timeoutMs = 5_000) {
    const deadline = new Deadline(timeoutMs);
    try {
      const { head, resultJson } = await member.run(
        jobOf(js),
        { call: () => Promise.reject(new Error("none")) },
        deadline,
      );
      return head.code ?? resultJson;
    } finally {
      deadline.close();
    }
  }

  it("leaves after its one job", async () => {
    const member = start("3");
    await member.ready;
    expect(await run(member, "return 1")).toBe("1");
    expect(await member.exited).toMatchObject({ reason: "exited", code: 0 });
  });

  it("leaves when its channel closes, before a job and in the middle of one that waits", async () => {
    for (const frames of [[], [jobFrames("setInterval(() => {}, 1); await new Promise(() => {})")]]) {
      const child = spawn(process.execPath, [RUNNER, "3"], { stdio: ["ignore", "ignore", "inherit", "pipe"], env: {} });
      const channel = child.stdio[3] as Socket;
      await once(channel, "data");
      for (const each of frames) for (const part of each) channel.write(part);
      channel.end();
      channel.destroy();
      expect(await once(child, "exit")).toEqual([0, null]);
    }
  });

  it("talks on stdin and stdout where there is no third descriptor, and shares them with nobody", async () => {
    const child = spawn(process.execPath, [RUNNER, "stdio"], { stdio: ["pipe", "pipe", "inherit"], env: {} });
    const seen: Unpacked[] = [];
    const reader = createFrameReader(100_000, (bytes) => void seen.push(unpack(bytes)));
    child.stdout.on("data", (chunk: Buffer) => reader.push(chunk));
    await expect.poll(() => seen.length).toBe(1);
    const code = "process.stdout.write('not a frame'); process.stdin.on('data', () => {}); await null; return process.stdin.read()"; // prettier-ignore
    for (const part of jobFrames(code)) child.stdin.write(part);
    await once(child, "exit");
    expect(seen.map(({ kind }) => kind)).toEqual([KIND.ready, KIND.done]);
    expect(seen[1]?.head).toMatchObject({ logs: [{ level: "log", text: "not a frame" }] });
    expect(Buffer.from(seen[1]?.rest ?? []).toString()).toBe("null");
  });

  describe("that stays for more", () => {
    it("runs one job after the other, with what the one before has left", async () => {
      const member = start("3", "again");
      await member.ready;
      const count = "globalThis.n = (globalThis.n ?? 0) + 1; return n";
      expect(await run(member, count)).toBe("1");
      expect(await run(member, "throw new Error('x')")).toBe("CODE_THREW");
      expect(await run(member, "await new Promise(() => {})")).toBe("NEVER_SETTLES");
      expect(await run(member, count)).toBe("2");
      expect(await run(member, "return [Math.random(), Date.now() < 5_000]")).toMatch(/^\[0\.\d+,true\]$/);
      expect(member.isSound).toBe(true);
    });

    it.each(["await new Promise((r) => setTimeout(r, 9_000))", "process.exit(0)"])(
      "is not used again after an end that leaves the guest running: %s",
      async (js) => {
        const member = start("3", "again");
        await member.ready;
        expect(["ENDED", "TIMEOUT", "PROCESS_EXITED"]).toContain(await run(member, js, 200));
        expect(member.isSound).toBe(false);
      },
    );
  });
});

function jobFrames(js: string): Uint8Array[] {
  const code = Buffer.from(js);
  const head = { limits: LIMITS, seed: "", startedAtMs: 0, may: NO_ACCESS, file: "job", remainingMs: 60_000, codeBytes: code.byteLength }; // prettier-ignore
  return frame(pack(KIND.job, head, code, Buffer.from("{}")));
}
