import { DynamicMcpError, type ErrorCode } from "../../core/errors.ts";

/** Primary result codes of SQLite that we tell apart; the low byte of what `node:sqlite` calls `errcode`. */
const PRIMARY = {
  5: "busy",
  6: "busy",
  7: "memory",
  8: "read-only",
  10: "disk",
  11: "damaged",
  13: "full",
  14: "cannot open",
  15: "busy",
  18: "too large",
  26: "damaged",
} as const satisfies Record<number, string>;

export type SqliteFault = (typeof PRIMARY)[keyof typeof PRIMARY];

/** @returns undefined for what is not an error of SQLite, or one that only a bug of ours can cause */
export function sqliteFault(error: unknown): SqliteFault | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  return (PRIMARY as Record<number, SqliteFault>)[error.errcode & 0xff];
}

/**
 * Translates an error of the driver where it enters. Bugs of ours (bad SQL, a broken constraint) pass unchanged.
 *
 * @param waitedMs how long a lock was waited for
 */
export function fromSqlite(error: unknown, file: string, waitedMs = 0): unknown {
  const fault = sqliteFault(error);
  if (fault === undefined) return error;
  const [code, message] = DESCRIBE[fault](file, waitedMs);
  return new DynamicMcpError(code, message, { data: { file, fault }, cause: error });
}

/** @param waitedMs the whole wait of whoever asked, in ms */
export function lockedFor(file: string, waitedMs: number): string {
  return `another process kept ${file} locked for ${(waitedMs / 1000).toFixed(1)} s; try again`;
}

const DESCRIBE: Record<SqliteFault, (file: string, waitedMs: number) => [ErrorCode, string]> = {
  busy: (file, waitedMs) => ["STORE_UNAVAILABLE", lockedFor(file, waitedMs)],
  memory: (file) => ["STORE_UNAVAILABLE", `there is not enough memory to work on ${file}`],
  "read-only": (file) => [
    "STORE_UNAVAILABLE",
    `${file} cannot be written; check the permissions of the file and its folder, and that the disk is not mounted read-only`,
  ],
  disk: (file) => [
    "STORE_UNAVAILABLE",
    `the disk under ${file} answered with an error; check that it is healthy and not full`,
  ],
  full: (file) => [
    "STORE_UNAVAILABLE",
    `the disk under ${file} is full; nothing was changed. Free some space and try again`,
  ],
  "cannot open": (file) => [
    "STORE_UNAVAILABLE",
    `${file} cannot be opened; check that its folder exists and that this user may read and write there`,
  ],
  "too large": () => ["TOO_LARGE", "the value is larger than a row of the store can be"],
  damaged: (file) => [
    "STORE_DAMAGED",
    `${file} is damaged or is not a SQLite database; it was left as it is. Put back a copy, save what is readable with ` +
      `\`sqlite3 <file> .recover\`, or move it aside (with its -wal and -shm files) to start with an empty store`,
  ],
};
