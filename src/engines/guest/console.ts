import { tell } from "./bridge.ts";
import { OP } from "./ops.ts";
import { format } from "./format.ts";

/** More than this of one line never leaves the guest; the child counts and cuts all lines together. */
const LINE_CHARS = 100_000;

const LEVELS = ["debug", "log", "info", "warn", "error"] as const;
type Level = (typeof LEVELS)[number];

export function write(level: Level, parts: unknown[]): void {
  let line = parts.length === 1 ? format(parts[0]) : substitute(parts).map(format).join(" ");
  if (line.length > LINE_CHARS) line = line.slice(0, LINE_CHARS);
  if (line.includes("\0")) line = line.replaceAll("\0", "\uFFFD");
  tell(OP.log, LEVELS.indexOf(level) + line);
}

/** `%s %d %i %f %j %o %O` in a first argument, as Node's `console` does. */
function substitute(parts: unknown[]): unknown[] {
  const [first, ...rest] = parts;
  if (typeof first !== "string" || !first.includes("%")) return parts;
  const text = first.replace(/%([sdifjoO%])/g, (whole, kind: string) => {
    if (kind === "%") return "%";
    if (rest.length === 0) return whole;
    const value = rest.shift();
    if (kind === "s") return typeof value === "string" ? value : format(value);
    if (kind === "d" || kind === "f") return String(Number(value));
    if (kind === "i") return String(Math.trunc(Number(value)));
    return format(value);
  });
  return [text, ...rest];
}

export function makeConsole(): object {
  const counts = new Map<string, number>();
  const starts = new Map<string, number>();
  const at =
    (level: Level) =>
    (...parts: unknown[]): void =>
      write(level, parts);
  return {
    debug: at("debug"),
    log: at("log"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    trace: at("debug"),
    dir: (value: unknown) => write("log", [value]),
    table: (value: unknown) => write("log", [value]),
    group: at("log"),
    groupEnd: () => {},
    assert: (condition: unknown, ...parts: unknown[]) => {
      if (!condition) write("error", ["Assertion failed:", ...parts]);
    },
    count: (label: unknown = "default") => {
      const key = String(label);
      const next = (counts.get(key) ?? 0) + 1;
      counts.set(key, next);
      write("log", [`${key}: ${next}`]);
    },
    time: (label: unknown = "default") => void starts.set(String(label), Date.now()),
    timeEnd: (label: unknown = "default") => {
      const start = starts.get(String(label));
      if (start !== undefined) write("log", [`${String(label)}: ${Date.now() - start}ms`]);
    },
  };
}
