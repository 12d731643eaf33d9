import { describe, expect, it } from "vitest";
import { parseAnswer } from "../../bench/lib/http-connection.ts";
import { loadWith } from "../../bench/lib/load.ts";
import { openHttpClient, openStdioClient, type Client } from "../../bench/lib/mcp-client.ts";
import { cpuUs, HAS_PROC, rssBytes } from "../../bench/lib/proc.ts";
import { compare, inTurn, meets, median } from "../../bench/lib/rounds.ts";
import { startFloor, withServers } from "../../bench/lib/servers.ts";
import { table } from "../../bench/lib/table.ts";

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

  it("comes from rounds in turn, every other one reversed", async () => {
    const order: string[] = [];
    const run = (name: string) => async (round: number) => order.push(`${name}${round}`);
    await inTurn(2, { a: run("a"), b: run("b") });
    expect(order).toEqual(["a0", "b0", "b1", "a1"]);
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
