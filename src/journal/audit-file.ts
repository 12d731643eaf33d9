import { open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import type { CallRecord } from "../core/call.ts";
import { SILENT, type Logger } from "../core/source.ts";
import { ensureFolder } from "../machine/files.ts";
import type { JournalSink } from "./create-journal.ts";

export interface AuditFileOptions {
  file: string;
  /** A longer event loses its details and says so (`truncated: true`). */
  maxEventBytes: number;
  /** Past this size the file is moved to `<file>.1`, that one to `.2` and so on. */
  maxFileBytes: number;
  /** Old files kept (>= 1). */
  maxFiles: number;
  log?: Logger;
}

/**
 * Appends records as JSON lines: who, what, outcome, how long, request id. Opened at the first record, for appending,
 * so that several processes may share one file; readable by its owner only.
 */
export function createAuditFile(options: AuditFileOptions): JournalSink {
  const { file, maxEventBytes, maxFileBytes, maxFiles, log = SILENT } = options;
  let handle: FileHandle | undefined;
  let isStuck = false;

  async function opened(): Promise<FileHandle> {
    ensureFolder(dirname(file));
    return (handle ??= await open(file, "a", 0o600));
  }

  async function rotate(): Promise<void> {
    await handle?.close();
    handle = undefined;
    await rm(`${file}.${maxFiles}`, { force: true });
    for (let n = maxFiles - 1; n >= 1; n--) await move(`${file}.${n}`, `${file}.${n + 1}`);
    await move(file, `${file}.1`);
  }

  /** Moves on when the file is full, or when another process has moved it away. */
  async function moveOn(current: FileHandle): Promise<void> {
    // By name, not by handle: another process may have rotated already.
    const { size } = await stat(file).catch(() => ({ size: 0 }));
    const own = await current.stat();
    if (size >= maxFileBytes) await rotate();
    else if (own.size !== size) await close();
  }

  return {
    async append(records) {
      const current = await opened();
      await current.appendFile(records.map((record) => `${line(record, maxEventBytes)}\n`).join(""));
      // The records are kept: whatever fails from here on must not bring them here again.
      try {
        await moveOn(current);
        isStuck = false;
      } catch (error) {
        if (!isStuck) log.warn({ err: error, file }, "the audit file cannot be put aside; it grows past its size");
        isStuck = true;
      }
    },
    close,
  };

  async function close(): Promise<void> {
    await handle?.close();
    handle = undefined;
  }
}

function line(record: CallRecord, maxBytes: number): string {
  const text = JSON.stringify(record);
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const { logs: _logs, message: _message, ...facts } = record;
  return JSON.stringify({ ...facts, truncated: true });
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
