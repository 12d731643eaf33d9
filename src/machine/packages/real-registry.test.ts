import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openRealPackages } from "../../../test/support/npm-registry.ts";
import { MINUTE } from "./fixtures/world.ts";

const folder = mkdtempSync(join(tmpdir(), "dynamic-mcp-packages-"));
const store = await openRealPackages(folder);
afterAll(async () => {
  await store?.close();
  await rm(folder, { recursive: true, force: true });
});

describe.skipIf(!store)("packages of npm", () => {
  const resolve = async (name: string, version: string) => (await store?.resolve([{ name, version }], MINUTE())) ?? { packages: [] }; // prettier-ignore

  it("are found, locked and installed as Node expects them", async () => {
    const lock = await resolve("express", "4.21.2");
    expect(lock.packages.length).toBeGreaterThan(30);
    expect(lock.packages.find(({ name }) => name === "express")?.version).toBe("4.21.2");
    const lease = await store?.layer(lock, MINUTE());
    const cwd = lease?.folder ?? "";
    const program = `console.log(typeof require("express")().get, require("debug/package.json").version)`;
    const said = execFileSync(process.execPath, ["-e", program], { cwd, encoding: "utf8" });
    expect(said).toMatch(/^function 2\.6\./);
    expect(existsSync(join(cwd, "node_modules/.bin"))).toBe(false);
  });

  it("are told apart: not there, no such version, native", async () => {
    await expect(resolve("ms", "^99.0.0")).rejects.toMatchObject({ code: "PACKAGE_NOT_FOUND" });
    await expect(resolve("@dynamic-mcp-nobody/nothing-here", "1.0.0")).rejects.toMatchObject({
      code: "PACKAGE_NOT_FOUND",
    });
    await expect(resolve("sharp", "0.34.4")).rejects.toMatchObject({ code: "PACKAGE_NATIVE" });
    // Whether its manifest tells, or only its archive, is its own affair.
    const install = async () => store?.layer(await resolve("bcrypt", "5.1.1"), MINUTE());
    await expect(install()).rejects.toMatchObject({ code: "PACKAGE_NATIVE" });
  });
});
