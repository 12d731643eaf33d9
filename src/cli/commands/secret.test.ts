import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Secrets } from "../../credentials/credentials.ts";
import { type Given, runLine } from "../fixtures/command-line.ts";

let folder = "";
let kept: Map<string, string>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dmcp-secret-"));
  kept = new Map();
});
afterEach(() => rm(folder, { recursive: true }));

const run = (line: string[], given: Given = {}) => {
  const secrets: Pick<Secrets, "list" | "set" | "remove"> = {
    set: async (name, value) => void kept.set(name, value),
    remove: async (name) => kept.delete(name),
    list: async () => [
      { name: "ENV", provider: "environment", isAllowed: false },
      { name: "KEPT", provider: "store", isAllowed: true, updatedAt: "2026-01-02T03:04:05.000Z" },
      { name: "WANTED", isAllowed: true },
    ],
  };
  return runLine(line, { ...given, app: { secrets } });
};

describe("secret set", () => {
  it.each([
    ["s3cret\n", "s3cret"],
    ["s3cret\r\n", "s3cret"],
    ["s3cret", "s3cret"],
    ["two\nlines\n\n", "two\nlines\n"],
    [" spaces \n", " spaces "],
    ["\uFEFFs3cret\n", "s3cret"],
  ])("keeps what comes in, without one line end: %j", async (stdin, value) => {
    const ran = await run(["secret", "set", "TOKEN"], { stdin });
    expect(ran).toMatchObject({ code: 0, out: "", isClosed: true });
    expect(kept.get("TOKEN")).toBe(value);
    expect(ran.err).not.toContain(value.trim());
  });

  it("keeps what a file holds", async () => {
    await writeFile(join(folder, "token"), "from a file\n");
    expect((await run(["secret", "set", "TOKEN", "--from-file", "token"], { input: { cwd: folder } })).code).toBe(0);
    expect(kept.get("TOKEN")).toBe("from a file");
  });

  it("takes no value as an argument, where others could see it", async () => {
    const ran = await run(["secret", "set", "TOKEN", "s3cret"]);
    expect(ran.code).toBe(2);
    expect(kept.size).toBe(0);
  });

  it("refuses what is no text, and what is far too long", async () => {
    const bytes = (...chunks: Buffer[]) => {
      const stdin = new PassThrough();
      for (const chunk of chunks) stdin.write(chunk);
      stdin.end();
      return { input: { stdin } };
    };
    expect((await run(["secret", "set", "TOKEN"], bytes(Buffer.from([0xff, 0xfe, 0x41])))).err).toContain("UTF-8");
    expect((await run(["secret", "set", "TOKEN"], bytes(Buffer.alloc(2_000_000)))).err).toContain("TOO_LARGE");
    expect(kept.size).toBe(0);
  });

  it("asks a person without showing what is typed", async () => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true, modes: [] as boolean[], setRawMode(mode: boolean) {
      stdin.modes.push(mode);
    } }); // prettier-ignore
    for (const keys of ["wrong\u0015s3", "xx\u007f\b", "cr\u00fct\u{1f980}", "\r", "after"]) stdin.write(keys);
    const ran = await run(["secret", "set", "TOKEN"], { input: { stdin } });
    expect(kept.get("TOKEN")).toBe("s3cr\u00fct\u{1f980}");
    expect(ran.err).not.toContain("s3cr");
    expect(stdin.modes).toEqual([true, false]);
    expect(stdin.destroyed).toBe(false);
  });

  it("keeps nothing when the person gives up", async () => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode() {} });
    stdin.write("half\u0003");
    const ran = await run(["secret", "set", "TOKEN"], { input: { stdin } });
    expect(ran.code).toBe(130);
    expect(kept.size).toBe(0);
  });
});

describe("secret list", () => {
  it("shows names and where they come from, for people and for programs", async () => {
    const { out } = await run(["secret", "list"]);
    expect(out.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["name", "from", "tools", "changed"],
      ["ENV", "environment", "may not"],
      ["KEPT", "store", "may read it", "2026-01-02"],
      ["WANTED", "not set", "may read it"],
      [""],
    ]);
    expect(JSON.parse((await run(["secret", "list", "--json"])).out)).toHaveLength(3);
  });
});

describe("secret rm", () => {
  it("forgets one, and says when there was none", async () => {
    kept.set("TOKEN", "x");
    expect((await run(["secret", "rm", "TOKEN"])).code).toBe(0);
    expect((await run(["secret", "rm", "TOKEN"])).code).toBe(1);
  });
});
