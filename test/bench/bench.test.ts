import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { countChildren } from "../../bench/lib/children.ts";
import { parseAnswer } from "../../bench/lib/http-connection.ts";
import { loadWith } from "../../bench/lib/load.ts";
import { openHttpClient, openStdioClient, type Client } from "../../bench/lib/mcp-client.ts";
import { cpuUs, HAS_PROC, ownPrivateBytes, parentOf, privateBytes, rssBytes } from "../../bench/lib/proc.ts";
import { compare, inTurn, meets, median } from "../../bench/lib/rounds.ts";
import { startFloor, withServers } from "../../bench/lib/servers.ts";
import { table } from "../../bench/lib/table.ts";
import { p50, perSecond, runToEnd } from "../../bench/lib/timing.ts";

describe("an HTTP answer", () => {
  const plain = "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\né!";
  const chunked = "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n3\r\né!\r\n1\r\nx\r\n0\r\n\r\n";

  it.each([
    [plain, { status: 200, body: "é!" }],
    [chunked, { status: 202, body: "é!x" }],
  ])("is read when it is all there, and not before", (text, answer) => {
    const bytes = Buffer.from(text);
    for (let end = 0; end < bytes.length; end++) expect(parseAnswer(bytes.subarray(0, end))).toBeUndefined();
    expect(parseAnswer(Buffer.concat([bytes, bytes]))).toMatchObject({ answer, length: bytes.length });
  });
});

describe("a figure", () => {
  it("is the median, beside the floor of its own round", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    const row = compare({ what: "x", unit: "ms", demand: { atMost: 0.5 } }, [1, 2, 9], [2, 4, 10]);
    expect(row).toMatchObject({ value: 2, floor: 4, ratio: 0.5, spread: 0.8 });
    expect(meets(row)).toBe(true);
    expect(meets({ ...row, demand: { atLeast: 0.51 } })).toBe(false);
    expect(table([row])).toContain("<= 0.5x");
  });

  it("without a demand is told and not judged", () => {
    const row = compare({ what: "x", unit: "ms" }, [9], [1]);
    expect(meets(row)).toBe(true);
    expect(table([row])).toMatch(/9\.00x +- +0 %$/);
  });

  it("is of as many calls as were asked for, and leaves out what is between them", async () => {
    let calls = 0;
    const work = async () => void calls++;
    await perSecond(13, work);
    expect(calls).toBe(13);
    let between = 0;
    await p50(3, work, async () => void between++);
    expect([calls, between]).toEqual([16, 3]);
  });

  it("is never one of a program that failed", async () => {
    await runToEnd(process.execPath, ["-e", "0"], {});
    await expect(runToEnd(process.execPath, ["-e", "process.exit(3)"], {})).rejects.toThrow("ended with 3");
  });

  it("comes from rounds in turn, every other one reversed", async () => {
    const order: string[] = [];
    const run = (name: string) => async (round: number) => order.push(`${name}${round}`);
    await inTurn(2, { a: run("a"), b: run("b") });
    expect(order).toEqual(["a0", "b0", "b1", "a1"]);
  });
});

describe("child processes", () => {
  const start = () => spawn(process.execPath, ["-e", "console.log(); setInterval(() => {}, 1e6)"], { env: {} });

  it("are counted: all that live, the most at once, and also one that cannot start", async () => {
    const before = start();
    const count = countChildren();
    const [first, second] = [start(), start()];
    const none = spawn("/nowhere", []);
    await once(none, "error");
    expect(new Set(count.pids())).toEqual(new Set([first.pid, second.pid]));
    expect(count.most()).toBe(3);
    for (const child of [before, first, second]) child.kill("SIGKILL");
    await Promise.all([before, first, second].map((child) => once(child, "exit")));
    expect(count.pids()).toEqual([]);
    count.restart();
    expect(count.most()).toBe(0);
    count.stop();
  });

  it.skipIf(!HAS_PROC)("have memory of their own, and share their program with us", async () => {
    const child = start();
    await once(child.stdout, "data");
    const pid = child.pid ?? 0;
    expect(parentOf(pid)).toBe(process.pid);
    expect(privateBytes(pid)).toBe(ownPrivateBytes(pid));
    expect(privateBytes(pid)).toBeGreaterThan(1e6);
    expect(privateBytes(pid)).toBeLessThan(rssBytes(pid) / 2);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(privateBytes(pid)).toBeNaN();
  });
});

describe("the floor", () => {
  const echo = { tool: "echo", args: (text: string) => ({ text }) };
  const transports = [
    ["http", "legacy"],
    ["http", "modern"],
    ["stdio", "legacy"],
    ["stdio", "modern"],
  ] as const;

  it.each(transports)("answers every caller with its own text over %s, %s", async (transport, era) => {
    await withServers({ floor: () => startFloor(transport) }, async ({ floor }) => {
      const client: Client =
        transport === "http" ? await openHttpClient(floor.url, era, 4) : await openStdioClient(floor.child, era);
      expect(await loadWith(client, echo, 4, 40, floor.pid)).toMatchObject({ callsPerSecond: expect.any(Number) });
      await expect(loadWith(client, { ...echo, args: () => ({ text: "other" }) }, 1, 1, floor.pid)).rejects.toThrow(
        "wrong",
      );
      if (HAS_PROC) {
        expect(cpuUs(floor.pid)).toBeGreaterThan(1000);
        expect(rssBytes(floor.pid)).toBeGreaterThan(20e6);
      }
      client.close();
    });
  });
});
