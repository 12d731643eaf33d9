import { closeSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { Parser, type ReadEntry } from "tar";
import { DynamicMcpError, type ErrorCode } from "../../core/errors.ts";
import { byteLimit, fileLimit } from "./limit-words.ts";

/** What may still be written. Shared by all archives of a layer. */
export interface Room {
  bytes: number;
  files: number;
  /** Of the whole layer, as the operator set it. */
  most: { bytes: number; files: number };
}

export interface Unpacked {
  bytes: number;
  files: number;
}

const MAX_DEPTH = 32;
const MAX_PATH_BYTES = 400;
const MAX_PART_BYTES = 255;
/** Small, because all that a piece inflates to is in memory at once: a thousandfold at most. */
const PIECE_BYTES = 16 * 1024;
const FILES: ReadonlySet<string> = new Set(["File", "OldFile", "ContiguousFile"]);

/**
 * Unpacks an npm archive: plain files only, read-only, without their owner, time or mode. Links to elsewhere are left
 * out, as npm does. What the package carries in a `node_modules` of its own is left out, too: dependencies are resolved by name.
 *
 * Runs in the jailed installer, synchronously: there is nobody to wait for it.
 *
 * @param room is made smaller by what was written
 * @throws PACKAGE_NOT_ALLOWED (paths, kinds of entries, not an archive), PACKAGE_TOO_LARGE, PACKAGE_NATIVE; errors of the
 *   file system as they are
 */
export function unpack(archive: string, into: string, name: string, room: Room): Unpacked {
  const done: Unpacked = { bytes: 0, files: 0 };
  const limits = { ...room };
  /** By their folded names: two of one such name are one where case does not count. */
  const seen = new Map<string, string>();
  const folders = new Set<string>();
  let passedOver = 0;
  let passedOverBytes = 0;
  let failure: Error | undefined;
  let open: number | undefined;

  const refuse = (code: ErrorCode, why: string) =>
    new DynamicMcpError(code, `the archive of ${name} ${why}`, { data: { package: name } });

  function onEntry(entry: ReadEntry): void {
    // An exception must not unwind through the parser and zlib: it is kept, and nothing more is written.
    const guarded = (step: () => void) => {
      try {
        if (failure === undefined) step();
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
      }
    };
    guarded(() => {
      const path = pathOf(entry);
      if (path === undefined) return;
      open = openSync(path, "w", 0o444);
    });
    entry.on("data", (data: Buffer) => guarded(() => write(data)));
    entry.on("end", () => guarded(closeOpen));
  }

  /** @returns where the file goes; undefined when the entry is passed over */
  function pathOf(entry: ReadEntry): string | undefined {
    const parts = partsOf(entry.path, refuse);
    if (entry.type === "Link") throw refuse("PACKAGE_NOT_ALLOWED", `has a hard link (${shown(entry.path)})`);
    const isFile = FILES.has(entry.type);
    if (!isFile && entry.type !== "Directory" && entry.type !== "SymbolicLink") {
      throw refuse("PACKAGE_NOT_ALLOWED", `has something that is not a file (${entry.type}, ${shown(entry.path)})`);
    }
    const isOwn = parts.length > 0 && parts[0] !== "node_modules";
    if (!isFile || !isOwn) {
      passedOverBytes += entry.size;
      const isTooMuch = ++passedOver > limits.files || passedOverBytes > limits.bytes;
      if (isTooMuch)
        throw refuse(
          "PACKAGE_TOO_LARGE",
          `has too much in it that is not unpacked: ${byteLimit(room.most.bytes)}, and ${fileLimit(room.most.files)}`,
        );
      return undefined;
    }
    const inner = parts.join("/");
    if (inner.endsWith(".node") || inner === "binding.gyp") {
      throw refuse("PACKAGE_NATIVE", `has native code (${shown(inner)}), which sandboxes do not load; look for a package in plain JavaScript or WebAssembly`); // prettier-ignore
    }
    const folded = inner.normalize("NFC").toLowerCase();
    const same = seen.get(folded);
    if (same !== undefined && same !== inner) {
      throw refuse("PACKAGE_NOT_ALLOWED", `has two files whose names differ only in case (${shown(same)}, ${shown(inner)})`); // prettier-ignore
    }
    const above = foldersAbove(folded);
    if (folders.has(folded) || above.some((folder) => seen.has(folder))) {
      throw refuse("PACKAGE_NOT_ALLOWED", `has something that is both a file and a folder (${shown(inner)})`);
    }
    seen.set(folded, inner);
    for (const folder of above) folders.add(folder);
    if (room.files-- <= 0)
      throw refuse("PACKAGE_TOO_LARGE", `brings the number of files above the limit: ${fileLimit(room.most.files)}`);
    if (entry.size > room.bytes)
      throw refuse("PACKAGE_TOO_LARGE", `brings the unpacked bytes above the limit: ${byteLimit(room.most.bytes)}`);
    const path = join(into, ...parts);
    if (same === undefined) done.files++;
    else unlinkSync(path); // a file that is there twice: the later one holds, as everywhere
    mkdirSync(dirname(path), { recursive: true });
    return path;
  }

  function write(data: Buffer): void {
    if (open === undefined) return;
    room.bytes -= data.byteLength;
    done.bytes += data.byteLength;
    if (room.bytes < 0)
      throw refuse("PACKAGE_TOO_LARGE", `brings the unpacked bytes above the limit: ${byteLimit(room.most.bytes)}`);
    for (let at = 0; at < data.byteLength;) at += writeSync(open, data, at);
  }

  function closeOpen(): void {
    if (open !== undefined) closeSync(open);
    open = undefined;
  }

  const parser = new Parser({ onReadEntry: onEntry, maxDecompressionRatio: Infinity });
  parser.on("warn", (code: string, message: unknown) => {
    // Of single entries that cannot be read the parser only tells; the others of its warnings mean that it gave up.
    if (code === "TAR_BAD_ARCHIVE" || code === "TAR_ABORT") failure ??= refuse("PACKAGE_NOT_ALLOWED", `cannot be read: ${String(message)}`); // prettier-ignore
  });
  parser.on(
    "error",
    (error: unknown) => (failure ??= refuse("PACKAGE_NOT_ALLOWED", `cannot be read: ${String(error)}`)),
  );

  const from = openSync(archive, "r");
  try {
    mkdirSync(into, { recursive: true });
    for (;;) {
      // A fresh piece each time: the parser may keep what it got.
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const bytes = readSync(from, piece);
      if (failure !== undefined || bytes === 0) break;
      parser.write(piece.subarray(0, bytes));
    }
    if (failure === undefined) parser.end();
    if (failure !== undefined) throw failure;
    return done;
  } finally {
    closeSync(from);
    if (open !== undefined) closeSync(open);
  }
}

/** The parts of a path below the folder that every npm archive has as its only one, whatever that is called. */
function partsOf(path: string, refuse: (code: ErrorCode, why: string) => Error): string[] {
  const parts = path.split("/");
  if (path.startsWith("/") || /^[a-z]:|[\\\0]/i.test(path) || parts.includes("..")) {
    throw refuse("PACKAGE_NOT_ALLOWED", `has a path that leads out of it or is not one (${shown(path)})`);
  }
  const inner = parts.filter((part) => part !== "" && part !== ".").slice(1);
  const isLong = inner.some((part) => Buffer.byteLength(part) > MAX_PART_BYTES);
  if (isLong || inner.length > MAX_DEPTH || Buffer.byteLength(inner.join("/")) > MAX_PATH_BYTES) {
    throw refuse("PACKAGE_NOT_ALLOWED", `has a path that is too long or too deep (${shown(path)})`);
  }
  return inner;
}

/** Of `a/b/c`: `a`, `a/b`. */
function foldersAbove(path: string): string[] {
  const found: string[] = [];
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) found.push(path.slice(0, at));
  return found;
}

const shown = (path: string) => JSON.stringify(path.length > 80 ? `${path.slice(0, 80)}...` : path);
