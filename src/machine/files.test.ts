import { existsSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureFolder } from "./files.ts";

describe("ensureFolder", () => {
  let root = "";
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "folders-"));
  });
  afterAll(() => rm(root, { recursive: true }));

  it("makes what is missing, with its mode, and is content with what is there", async () => {
    const path = join(root, "a/b/c");
    ensureFolder(path, 0o700);
    ensureFolder(path, 0o700);
    expect((await stat(path)).isDirectory()).toBe(true);
    if (process.platform !== "win32") expect((await stat(join(root, "a/b"))).mode & 0o777).toBe(0o700);
  });

  it("says so when a file is in the way, also at the very end", async () => {
    await writeFile(join(root, "file"), "");
    expect(() => ensureFolder(join(root, "file/below"))).toThrow("ENOTDIR");
    expect(() => ensureFolder(join(root, "file"))).toThrow("EEXIST");
  });

  it.skipIf(!existsSync("/proc/self"))("gives up at once where nothing can be made (only with a /proc)", () => {
    expect(() => ensureFolder("/proc/nope/deeper")).toThrow("ENOENT");
  });
});
