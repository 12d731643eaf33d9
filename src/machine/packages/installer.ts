import { chmodSync, readdirSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { DynamicMcpError, type ErrorCode } from "../../core/errors.ts";
import { createFrameReader, frame } from "../frames.ts";
import { unpack, type Unpacked } from "./unpack.ts";

/**
 * The jailed process that unpacks: it can read the archives and write the new layer's folder, and nothing else. It gets
 * one task over file descriptor 3, answers, and ends.
 */
export interface InstallerTask {
  /** Empty; it becomes the layer's `node_modules` and what is in there. */
  folder: string;
  packages: { name: string; archive: string; path: string }[];
  maxBytes: number;
  maxFiles: number;
}

export type InstallerAnswer =
  | { state: "ready" }
  | { state: "done"; unpacked: Unpacked }
  | { state: "refused"; code: ErrorCode; message: string; data: Record<string, unknown> }
  /** `code` of the file system: ENOSPC, EACCES ... */
  | { state: "failed"; code: string; message: string };

const CHANNEL = 3;
const MAX_TASK_BYTES = 16 * 1024 * 1024;

const channel = new Socket({ fd: CHANNEL, readable: true, writable: true });
const leave = () => process.exit(0);
channel.on("close", leave);
channel.on("end", leave);
channel.on("error", leave);

function answer(what: InstallerAnswer): void {
  channel.write(Buffer.concat(frame([Buffer.from(JSON.stringify(what), "utf8")])));
}

function install({ folder, packages, maxBytes, maxFiles }: InstallerTask): InstallerAnswer {
  const most = { bytes: maxBytes, files: maxFiles };
  const room = { ...most, most };
  const unpacked: Unpacked = { bytes: 0, files: 0 };
  try {
    for (const { name, archive, path } of packages) {
      const { bytes, files } = unpack(archive, join(folder, path), name, room);
      unpacked.bytes += bytes;
      unpacked.files += files;
    }
    for (const entry of readdirSync(folder)) closeFolders(join(folder, entry));
    return { state: "done", unpacked };
  } catch (error) {
    if (error instanceof DynamicMcpError) {
      const { code, message, data } = error;
      return { state: "refused", code, message, data };
    }
    const { code = "", message } = error as NodeJS.ErrnoException;
    return { state: "failed", code, message };
  }
}

/** Files were made without leave to write. */
function closeFolders(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) closeFolders(join(folder, entry.name));
  }
  chmodSync(folder, 0o555);
}

const reader = createFrameReader(MAX_TASK_BYTES, (bytes) => {
  answer(install(JSON.parse(Buffer.from(bytes).toString("utf8")) as InstallerTask));
});
channel.on("data", (chunk: Buffer) => reader.push(chunk));
answer({ state: "ready" });
