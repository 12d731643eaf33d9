import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { mountSmallDisk } from "../../../test/support/small-disk.ts";
import { openWorld, type World } from "./fixtures/world.ts";

const disk = mountSmallDisk(2_048);
afterAll(() => disk?.remove());

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const packageOf = (content: Buffer) => ({ "1.0.0": { entries: [{ path: "package/x", content }] } });

/** The kernel gives back what an ended jail had of the disk a little after its last process has gone. */
const makeReadOnly = () =>
  expect
    .poll(() => {
      try {
        disk?.makeReadOnly();
        return "read-only";
      } catch (error) {
        return error;
      }
    })
    .toBe("read-only");

describe.skipIf(!disk)("a full disk", () => {
  it.each([
    ["while an archive is fetched", randomBytes(3 * 1024 * 1024)],
    ["while it is unpacked", Buffer.alloc(3 * 1024 * 1024)],
  ])("%s is told as such, leaves nothing, and the next layer is fine [packages-whole]", async (_, content) => {
    const folder = join(disk?.folder ?? "", "packages");
    world = await openWorld({ large: packageOf(content), small: packageOf(Buffer.alloc(1_000)) }, { folder });
    await expect(world.install("large")).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      data: { reason: "ENOSPC" },
      message: expect.stringContaining("disk is full") as string,
    });
    expect(world.leftovers()).toEqual([]);
    expect((await world.install("small")).files).toBe(2);
  });

  it("is one that may not be written, too", async () => {
    const folder = join(disk?.folder ?? "", "packages");
    world = await openWorld({ small: packageOf(Buffer.alloc(1_000)) }, { folder });
    await makeReadOnly();
    try {
      const made = world.install("small");
      await expect(made).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", data: { reason: "EROFS" } });
      const problem = expect.stringMatching(/read-only.*MCP_PACKAGES_DIR/) as string;
      await expect(world.store.health()).resolves.toMatchObject({ layers: 0, problem });
    } finally {
      disk?.makeWritable();
    }
  });
});

describe("a folder that can be written", () => {
  it("has no problem, until it cannot be", async () => {
    world = await openWorld({});
    expect(await world.store.health()).not.toHaveProperty("problem");
    expect(world.leftovers()).toEqual([]);
    await rm(world.folder, { recursive: true });
    await writeFile(world.folder, "a file in its place");
    expect(await world.store.health()).toMatchObject({ problem: expect.any(String) as string });
  });
});

describe.skipIf(process.platform !== "linux")("a folder in which nothing can be made", () => {
  it("is told as such", async () => {
    world = await openWorld({ a: packageOf(Buffer.alloc(1)) }, { folder: "/proc/packages" });
    const message = expect.stringMatching(/\(MCP_PACKAGES_DIR\)$/) as string;
    await expect(world.install("a")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", message });
    expect(await world.store.health()).toMatchObject({ problem: message });
  });
});
