import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DynamicMcpError } from "../core/errors.ts";
import { SILENT } from "../core/source.ts";
import type { SealedSecrets, SecretProvider } from "./credentials.ts";
import { createEnvironmentSecrets } from "./environment-secrets.ts";
import { createFileSecrets } from "./file-secrets.ts";
import { createSecrets } from "./create-secrets.ts";

const MAKE_PIPE = "mkfifo";

/** Without a disk or a key: what is sealed and how is tested elsewhere. */
function memorySealed(values: Record<string, string> = {}): SealedSecrets {
  const kept = new Map(Object.entries(values));
  return {
    name: "store",
    has: async (name) => kept.has(name),
    get: async (name) => kept.get(name),
    set: async (name, value) => void kept.set(name, value),
    remove: async (name) => kept.delete(name),
    names: async () => [...kept.keys()].map((name) => ({ name, updatedAt: "2026-01-01T00:00:00.000Z" })),
  };
}

function open(
  given: {
    env?: Record<string, string>;
    sealed?: SealedSecrets;
    allowed?: string[];
    providers?: SecretProvider[];
  } = {},
) {
  // prettier-ignore
  const logged: object[] = [];
  const log = { ...SILENT, warn: (facts: object) => void logged.push(facts), error: (facts: object) => void logged.push(facts) }; // prettier-ignore
  const providers = given.providers ?? [createEnvironmentSecrets(given.env ?? {})];
  const secrets = createSecrets({ providers, sealed: given.sealed ?? memorySealed(), allowed: given.allowed ?? [], log }); // prettier-ignore
  return { secrets, logged };
}

describe("secrets", () => {
  it("are given when the operator names them, or has set them", async () => {
    const env = { GITHUB_TOKEN: "from env", WEATHER_KEY: "weather" };
    const sealed = memorySealed({ KEPT: "from store" });
    const { secrets } = open({ env, sealed, allowed: ["GITHUB_TOKEN", "WEATHER_*"] });
    expect(await Promise.all(["GITHUB_TOKEN", "WEATHER_KEY", "KEPT"].map((name) => secrets.get(name)))).toEqual(["from env", "weather", "from store"]); // prettier-ignore
  });

  it("look the same to code when they are not allowed and when they are not there; the log knows", async () => {
    const { secrets, logged } = open({ env: { HOME_TOKEN: "value" }, allowed: ["NOT_SET"] });
    const errors = await Promise.all(["HOME_TOKEN", "NOT_SET", "../x", "__proto__", ""].map((name) => secrets.get(name).catch((error: unknown) => error))); // prettier-ignore
    const shapes = errors.map((error) => {
      const { code, message, data } = error as DynamicMcpError;
      return { code, message: message.replace(String(data["name"]), "NAME") };
    });
    expect(new Set(shapes.map((shape) => JSON.stringify(shape))).size).toBe(1);
    expect(shapes[0]?.code).toBe("SECRET_REFUSED");
    expect(new Set(logged.map((facts) => (facts as { reason: string }).reason)).size).toBe(2);
    expect(JSON.stringify(logged)).not.toContain("value");
  });

  it("come from the environment before files before the store", async () => {
    const provider = (name: "environment" | "file", values: Record<string, string>): SecretProvider => ({ name, get: async (key) => values[key], names: async () => Object.keys(values).map((each) => ({ name: each })) }); // prettier-ignore
    const providers = [provider("environment", { A: "aaaa" }), provider("file", { A: "ffff", B: "ffff" })];
    const sealed = memorySealed({ A: "ssss", B: "ssss", C: "ssss" });
    const { secrets } = open({ providers, sealed });
    expect(await Promise.all(["A", "B", "C"].map((name) => secrets.get(name)))).toEqual(["aaaa", "ffff", "ssss"]);
  });

  it("are listed with where they come from, and never with a value", async () => {
    const { secrets } = open({ env: { B: "bbbb", Z: "zzzz" }, sealed: memorySealed({ A: "aaaa", B: "cccc" }), allowed: ["M", "X_*"] }); // prettier-ignore
    expect(await secrets.list()).toEqual([
      { name: "A", provider: "store", isAllowed: true, updatedAt: "2026-01-01T00:00:00.000Z" },
      { name: "B", provider: "environment", isAllowed: true },
      { name: "M", isAllowed: true },
      { name: "Z", provider: "environment", isAllowed: false },
    ]);
  });

  it("that could not be hidden are neither kept nor given", async () => {
    const { secrets, logged } = open({ env: { PIN: "123", FOUR: "1234", BAD: "a\uFFFDbc", LONE: "\ud800aaaa" }, allowed: ["*"] }); // prettier-ignore
    expect(await secrets.get("FOUR")).toBe("1234");
    for (const name of ["PIN", "BAD", "LONE"]) await expect(secrets.get(name)).rejects.toMatchObject({ code: "SECRET_REFUSED" }); // prettier-ignore
    for (const value of ["", "123", "\ud800aaaa"]) await expect(secrets.set("PIN", value)).rejects.toMatchObject({ code: "INVALID_ARGUMENTS" }); // prettier-ignore
    expect(logged).toHaveLength(3);
  });

  it("have names and sizes with bounds", async () => {
    const { secrets } = open();
    const longest = `A${"b".repeat(127)}`;
    await secrets.set(longest, "x".repeat(65_536));
    expect(await secrets.get(longest)).toHaveLength(65_536);
    await expect(secrets.set("A", "x".repeat(65_537))).rejects.toMatchObject({ code: "TOO_LARGE" });
    await expect(secrets.set("A", "\u00fc".repeat(32_769))).rejects.toMatchObject({ code: "TOO_LARGE" });
    for (const name of ["", "1A", "A-B", "A.B", "A B", "../A", `${longest}c`, "\u00c4"]) {
      await expect(secrets.set(name, "value")).rejects.toMatchObject({ code: "INVALID_NAME" });
      await expect(secrets.remove(name)).rejects.toMatchObject({ code: "INVALID_NAME" });
    }
  });

  it("that cannot be opened tell code that, and the log why", async () => {
    const sealed = { ...memorySealed({ A: "aaaa" }), get: () => Promise.reject(new DynamicMcpError("CREDENTIALS_SEALED", "/home/ann/secrets.key is gone")) }; // prettier-ignore
    const { secrets, logged } = open({ sealed });
    const error = (await secrets.get("A").catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ code: "CREDENTIALS_SEALED" });
    expect(error.message).not.toContain("/home/ann");
    expect(logged).toHaveLength(1);
  });
});

describe("secrets in files", () => {
  let root = "";
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "dmcp-files-"));
    await mkdir(join(root, "run"));
  });
  afterEach(() => rm(root, { recursive: true }));
  const files = () => createFileSecrets({ folder: join(root, "run"), log: SILENT });
  const put = (name: string, value: string | Buffer) => writeFile(join(root, "run", name), value);

  it("are what the file holds, without one line end", async () => {
    for (const [given, value] of [
      ["abc\n", "abc"],
      ["abc\r\n", "abc"],
      ["abc\n\n", "abc\n"],
      ["abc", "abc"],
      [" a ", " a "],
      ["", ""],
    ] as const) {
      // prettier-ignore
      await put("TOKEN", given);
      expect(await files().get("TOKEN")).toBe(value);
    }
    expect(await files().get("OTHER")).toBeUndefined();
    expect(await createFileSecrets({ folder: join(root, "none"), log: SILENT }).names()).toEqual([]);
  });

  it("are seen when a mounted folder is swapped, as Kubernetes does", async () => {
    const inside = (name: string) => join(root, "run", name);
    for (const n of [1, 2]) {
      await mkdir(inside(`..2026_${n}`));
      await writeFile(inside(`..2026_${n}/TOKEN`), `value ${n}`);
    }
    await symlink("..2026_1", inside("..data"));
    await symlink("..data/TOKEN", inside("TOKEN"));
    expect(await files().get("TOKEN")).toBe("value 1");
    await symlink("..2026_2", inside("..data_tmp"));
    await rename(inside("..data_tmp"), inside("..data"));
    expect(await files().get("TOKEN")).toBe("value 2");
    expect(await files().names()).toEqual([{ name: "TOKEN" }]);
  });

  it("are no links that lead out, no folders, no pipes, and not larger than allowed", async () => {
    await writeFile(join(root, "outside"), "outside");
    // Whoever opened it as if it were a file would wait for a writer.
    if (process.platform !== "win32") execFileSync(MAKE_PIPE, [join(root, "run", "PIPE")]);
    else await mkdir(join(root, "run", "PIPE"));
    await mkdir(join(root, "run2"));
    await writeFile(join(root, "run2", "NEAR"), "near");
    await symlink("../outside", join(root, "run", "OUT"));
    await symlink("../run2/NEAR", join(root, "run", "NEAR"));
    await symlink("/etc/hostname", join(root, "run", "HOST"));
    await mkdir(join(root, "run", "FOLDER"));
    await put("LARGE", "x".repeat(65_537));
    for (const name of ["OUT", "NEAR", "HOST", "FOLDER", "PIPE", "LARGE"]) {
      await expect(files().get(name)).rejects.toMatchObject({ code: "SECRET_REFUSED" });
    }
    await put("LARGE", `${"x".repeat(65_536)}\n`);
    expect(await files().get("LARGE")).toHaveLength(65_536);
    for (const name of ["../outside", "..", "/etc/hostname"]) expect(await files().get(name)).toBeUndefined();
  });
});
