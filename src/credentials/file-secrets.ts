import { constants } from "node:fs";
import { open, readdir, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { DynamicMcpError } from "../core/errors.ts";
import type { Logger } from "../core/source.ts";
import { MAX_SECRET_BYTES, SECRET_NAME, type SecretProvider } from "./credentials.ts";

/** A pipe that nobody writes is opened and refused instead of waited for. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

/**
 * One file for each secret, as Docker and Kubernetes mount them: `/run/secrets/TOKEN`. The file's name is the secret's;
 * one line end at its end is no part of it. Read anew each time, because such files are replaced under way.
 *
 * Links are followed inside the folder only: Kubernetes swaps whole folders by one (`TOKEN -> ..data/TOKEN`).
 */
export function createFileSecrets({ folder, log }: { folder: string; log: Logger }): SecretProvider {
  return {
    name: "file",

    async get(name) {
      if (!SECRET_NAME.test(name)) return undefined;
      try {
        return await readSecret(folder, name);
      } catch (error) {
        if (codeOf(error) === "ENOENT") return undefined;
        log.warn({ err: error, folder, name }, "a secret's file cannot be used");
        const why = `the secret ${name} is there and cannot be read; the log of the server says why`;
        throw new DynamicMcpError("SECRET_REFUSED", why, { data: { name }, cause: error });
      }
    },

    async names() {
      try {
        const names = (await readdir(folder)).filter((name) => SECRET_NAME.test(name));
        return names.toSorted().map((name) => ({ name }));
      } catch (error) {
        if (codeOf(error) !== "ENOENT") log.warn({ err: error, folder }, "the folder of secrets cannot be read");
        return [];
      }
    },
  };
}

async function readSecret(folder: string, name: string): Promise<string> {
  const real = await realpath(join(folder, name));
  if (!real.startsWith((await realpath(folder)) + sep)) throw new Error("it is a link that leads out of its folder");
  const file = await open(real, READ);
  try {
    if (!(await file.stat()).isFile()) throw new Error("it is not a regular file");
    // Room for the line end, and one byte that tells of more.
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_SECRET_BYTES + 3), 0, MAX_SECRET_BYTES + 3, 0);
    const text = buffer.toString("utf8", 0, bytesRead).replace(/\r?\n$/, "");
    if (Buffer.byteLength(text) > MAX_SECRET_BYTES) throw new Error(`it has more than ${MAX_SECRET_BYTES} bytes`);
    return text;
  } finally {
    await file.close();
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
