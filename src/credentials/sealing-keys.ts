import { randomBytes, scrypt } from "node:crypto";
import { link, open, readFile, rm, stat } from "node:fs/promises";
import { promisify } from "node:util";
import { DynamicMcpError } from "../core/errors.ts";
import { once } from "../core/once.ts";
import type { Logger } from "../core/source.ts";
import { type SealingKey, sealingKey } from "./seal.ts";

/** Where the key that seals comes from. */
export interface SealingKeys {
  /** @returns undefined when there is none yet @throws CREDENTIALS_SEALED when it cannot be read */
  find(): Promise<SealingKey | undefined>;
  /** The same, and made when there is none. */
  make(): Promise<SealingKey>;
}

const KEY_BYTES = 32;
/** OWASP's minimum (2^17 with p = 1) at a quarter of the memory, 32 MiB for an instant. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };

/**
 * A key that the operator gives: 32 bytes as base64 or hex, or a passphrase, which is stretched with the store's salt.
 *
 * @param salt the same for all processes on a store
 */
export function createGivenKey(text: string, salt: () => Promise<Uint8Array>): SealingKeys {
  const find = once(async () => sealingKey(readKey(text) ?? (await stretch(text, await salt()))));
  return { find, make: find };
}

/** A key in a file of its own, made at first use for its owner alone. Whoever has the file and the store has the values. */
export function createKeyFile({ path, log }: { path: string; log: Logger }): SealingKeys {
  let known: SealingKey | undefined;

  async function find(): Promise<SealingKey | undefined> {
    return (known ??= await read());
  }

  async function read(): Promise<SealingKey | undefined> {
    let text: string;
    try {
      text = await readFile(path, "utf8");
      if (process.platform !== "win32" && ((await stat(path)).mode & 0o077) !== 0) {
        log.warn({ path }, "others may read the key of the stored secrets; `chmod 600` keeps it to its owner");
      }
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw noKey(path, "cannot be read", error);
    }
    const key = readKey(text.trim());
    if (!key) throw noKey(path, "holds no key (32 bytes in base64)");
    return sealingKey(key);
  }

  /** Whole or not at all, and the first of several processes wins. */
  async function write(): Promise<void> {
    const fresh = `${path}.${randomBytes(8).toString("hex")}`;
    try {
      const file = await open(fresh, "wx", 0o600);
      try {
        await file.writeFile(`${randomBytes(KEY_BYTES).toString("base64")}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await link(fresh, path);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) {
        throw noKey(path, "cannot be written", error);
      }
    } finally {
      await rm(fresh, { force: true });
    }
  }

  return {
    find,
    async make() {
      const there = await find();
      if (there) return there;
      await write();
      const made = await find();
      if (made) return made;
      throw noKey(path, "is gone again");
    },
  };
}

/** @returns undefined when the text is not exactly 32 bytes in either spelling */
function readKey(text: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, "hex");
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, "base64") : undefined;
}

async function stretch(passphrase: string, salt: Uint8Array): Promise<Buffer> {
  const run = promisify<string, Uint8Array, number, object, Buffer>(scrypt);
  return await run(passphrase.normalize("NFKC"), salt, KEY_BYTES, SCRYPT);
}

function noKey(path: string, what: string, cause?: unknown): DynamicMcpError {
  const reason = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
  const why = `the key file ${path} ${what}${reason}; put it right, or give a key with MCP_SECRET_KEY`;
  return new DynamicMcpError("CREDENTIALS_SEALED", why, { cause });
}
