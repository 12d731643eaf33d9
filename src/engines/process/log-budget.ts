import type { ConsoleLine } from "../engine.ts";

/** What a job may print: whole lines up to a number of bytes, the last one cut; the rest is only counted. */
export interface LogBudget {
  add(line: ConsoleLine): void;
  /** What was kept since the last time. */
  take(): ConsoleLine[];
  /** Bytes that did not fit. */
  dropped(): number;
}

/** A flood of empty lines must not be free. */
const LINE_BYTES = 1;

// Taken at the start: beside a guest in the same process these may be something else later.
const { byteLength, from } = Buffer;

export function createLogBudget(limitBytes: number): LogBudget {
  let lines: ConsoleLine[] = [];
  let used = 0;
  let droppedBytes = 0;

  return {
    add({ level, text }) {
      const bytes = byteLength(text);
      const room = limitBytes - used;
      if (bytes <= room) {
        used += bytes + LINE_BYTES;
        lines[lines.length] = { level, text };
        return;
      }
      droppedBytes += bytes;
      if (room <= 0) return;
      const kept = startOf(text, room);
      used = limitBytes;
      droppedBytes -= byteLength(kept);
      if (kept !== "") lines[lines.length] = { level, text: kept };
    },
    take() {
      const taken = lines;
      lines = [];
      return taken;
    },
    dropped: () => droppedBytes,
  };
}

/** The first characters that fit into so many bytes of UTF-8. */
function startOf(text: string, bytes: number): string {
  const cut = from(text).subarray(0, bytes).toString("utf8");
  return cut.endsWith("\uFFFD") ? cut.slice(0, -1) : cut;
}

/** What all lines that a budget of `limitBytes` gives may weigh together, see {@link weightOf}. */
export const heaviestLogs = (limitBytes: number) => limitBytes + 2 * LINE_BYTES;
export const weightOf = (line: ConsoleLine) => byteLength(line.text) + LINE_BYTES;

/** An empty line and its comma; a longer one has at most six bytes of JSON for each of its own. */
const LINE_JSON_BYTES = '{"level":"debug","text":""},'.length;
/** What all lines that a budget of `limitBytes` gives may have as JSON. */
export const heaviestLogJson = (limitBytes: number) => LINE_JSON_BYTES * heaviestLogs(limitBytes);
