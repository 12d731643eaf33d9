import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

const MAX_BYTES = 65_536;

/**
 * A small text file, such as a mounted secret. Never waits: a pipe or a device is refused.
 *
 * @throws an error whose message is for people
 */
export function readSmallFile(path: string): string {
  const file = open(path);
  try {
    if (!fstatSync(file).isFile()) throw new Error(`${path} is not a file`);
    const bytes = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, null);
    }
    if (length > MAX_BYTES) throw new Error(`${path} is larger than ${MAX_BYTES} bytes`);
    const text = bytes.toString("utf8", 0, length);
    if (text.includes("\0")) throw new Error(`${path} is not a text`);
    return text;
  } finally {
    closeSync(file);
  }
}

function open(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const reason = code === "ENOENT" ? "there is no file" : `it cannot be read (${code ?? "unknown"}):`;
    throw new Error(`${reason} ${path}`, { cause });
  }
}
