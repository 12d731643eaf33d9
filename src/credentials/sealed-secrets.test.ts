import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FILE_NAME } from "../store/sqlite/place.ts";
import { type OpenSealed, openSealed } from "./fixtures/open-sealed.ts";

let folder = "";
const opened: OpenSealed[] = [];
const open = async (key?: string) => {
  const one = await openSealed(folder, key);
  opened.push(one);
  return one.sealed;
};
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dmcp-secrets-"));
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ store }) => store.close()));
  await rm(folder, { recursive: true });
});

/** What somebody with the file of the store could do. */
function tamper(sql: string, ...values: (string | Uint8Array)[]): void {
  using db = new DatabaseSync(join(folder, FILE_NAME));
  db.prepare(sql).run(...values);
}

const damaged = { code: "CREDENTIALS_SEALED", data: { problem: "damaged" } };
const anotherKey = { code: "CREDENTIALS_SEALED", data: { problem: "another key" } };

describe("sealed secrets", () => {
  it("come back as they went in, until they are removed", async () => {
    const sealed = await open();
    for (const value of ["s3cret", "\u{1f980} ü\n\0", "x".repeat(65_536)]) {
      await sealed.set("TOKEN", value);
      expect(await sealed.get("TOKEN")).toBe(value);
    }
    expect(await sealed.names()).toEqual([{ name: "TOKEN", updatedAt: "2026-01-01T00:00:00.000Z" }]);
    expect([await sealed.has("TOKEN"), await sealed.has("OTHER"), await sealed.get("OTHER")]).toEqual([true, false, undefined]); // prettier-ignore
    expect([await sealed.remove("TOKEN"), await sealed.remove("TOKEN")]).toEqual([true, false]);
    expect(await sealed.get("TOKEN")).toBeUndefined();
  });

  it("are in no file of the data folder, and the same value never looks the same [secret-sealed]", async () => {
    const sealed = await open();
    await sealed.set("A", "find me if you can");
    await sealed.set("B", "find me if you can");
    const first = await opened[0]?.store.secrets.get("A");
    const second = await opened[0]?.store.secrets.get("B");
    expect(Buffer.from(first?.sealed ?? []).equals(Buffer.from(second?.sealed ?? []))).toBe(false);
    for (const file of await readdir(folder)) {
      expect((await readFile(join(folder, file))).includes("find me")).toBe(false);
    }
  });

  it("do not open when one bit of them was changed", async () => {
    const sealed = await open();
    await sealed.set("TOKEN", "s3cret");
    const kept = Buffer.from((await opened[0]?.store.secrets.get("TOKEN"))?.sealed ?? []);
    for (const at of [0, ...Array.from({ length: kept.length - 9 }, (_, n) => n + 9)]) {
      const changed = Buffer.from(kept);
      changed[at] = (changed[at] ?? 0) ^ 1;
      tamper("UPDATE secrets SET sealed = ? WHERE name = 'TOKEN'", changed);
      await expect(sealed.get("TOKEN")).rejects.toMatchObject(damaged);
    }
    for (const length of [0, 1, 21, 36, kept.length - 1]) {
      tamper("UPDATE secrets SET sealed = ? WHERE name = 'TOKEN'", kept.subarray(0, length));
      await expect(sealed.get("TOKEN")).rejects.toMatchObject({ code: "CREDENTIALS_SEALED" });
    }
    tamper("UPDATE secrets SET sealed = ? WHERE name = 'TOKEN'", kept);
    expect(await sealed.get("TOKEN")).toBe("s3cret");
  });

  it("do not open under another name: two rows cannot change places", async () => {
    const sealed = await open();
    await sealed.set("PUBLIC", "harmless");
    await sealed.set("PRIVATE", "dangerous");
    tamper("UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE name = 'PRIVATE') WHERE name = 'PUBLIC'");
    await expect(sealed.get("PUBLIC")).rejects.toMatchObject(damaged);
  });

  it("open with the key that sealed them, in every spelling, and with no other", async () => {
    const key = randomBytes(32);
    await (await open(key.toString("base64"))).set("TOKEN", "s3cret");
    for (const same of [key.toString("hex"), key.toString("hex").toUpperCase(), key.toString("base64url")]) {
      expect(await (await open(same)).get("TOKEN")).toBe("s3cret");
    }
    for (const other of [randomBytes(32).toString("hex"), "a passphrase that is long", undefined]) {
      await expect((await open(other)).get("TOKEN")).rejects.toMatchObject(anotherKey);
    }
  });

  it("open with the passphrase that sealed them, in another process too", async () => {
    await (await open("correct horse battery")).set("TOKEN", "s3cret");
    expect(await (await open("correct horse battery")).get("TOKEN")).toBe("s3cret");
    await expect((await open("correct horse batterY")).get("TOKEN")).rejects.toMatchObject(anotherKey);
  });
});

describe("the key file", () => {
  const path = () => join(folder, "secrets.key");

  it("is made at the first secret and not before, for its owner alone", async () => {
    const sealed = await open();
    expect(await sealed.get("TOKEN")).toBeUndefined();
    expect(await readdir(folder)).not.toContain("secrets.key");
    await sealed.set("TOKEN", "s3cret");
    if (process.platform !== "win32") expect((await stat(path())).mode & 0o777).toBe(0o600);
    expect((await readdir(folder)).filter((name) => name.startsWith("secrets.key"))).toEqual(["secrets.key"]);
  });

  it("that was lost, damaged or cannot be read is told as such, and nothing is written over it", async () => {
    await (await open()).set("TOKEN", "s3cret");
    const key = await readFile(path(), "utf8");
    await rm(path());
    await expect((await open()).get("TOKEN")).rejects.toMatchObject(anotherKey);
    await writeFile(path(), "not a key");
    await expect((await open()).get("TOKEN")).rejects.toMatchObject({ code: "CREDENTIALS_SEALED" });
    await expect((await open()).set("OTHER", "s3cret")).rejects.toMatchObject({ code: "CREDENTIALS_SEALED" });
    expect(await readFile(path(), "utf8")).toBe("not a key");
    await writeFile(path(), key);
    await chmod(path(), 0o600);
    expect(await (await open()).get("TOKEN")).toBe("s3cret");
  });

  it("is one for several processes that make it at once, and what one sets the others see", async () => {
    const program = fileURLToPath(new URL("./fixtures/set-secret.ts", import.meta.url));
    const names = ["A", "B", "C", "D"];
    const here = await open();
    expect(await here.get("A")).toBeUndefined();
    const flags = ["--experimental-strip-types", "--no-warnings", program, folder];
    await Promise.all(names.map((name) => promisify(execFile)(process.execPath, [...flags, name, `value of ${name}`])));
    expect(await Promise.all(names.map((name) => here.get(name)))).toEqual(names.map((name) => `value of ${name}`));
  });
});
