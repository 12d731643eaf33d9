import type { pino } from "pino";
import type { Logger } from "../core/source.ts";
import type { JsonObject } from "../core/json.ts";
import { hideValues, redact, redactText } from "../core/redact.ts";

export const LOG_LEVEL_NAMES = ["silent", "error", "warn", "info", "debug"] as const;
export type LogLevelName = (typeof LOG_LEVEL_NAMES)[number];

/** Causes of an error that are shown; somebody's own may go round in a circle. */
const MAX_CAUSES = 4;

/** Lines kept until pino is there. */
const MAX_WAITING = 1_000;

export interface Log extends Logger {
  /** Waits until what was said is written: before the process ends. */
  flush(): Promise<void>;
}

/**
 * Our log: JSON lines of pino on stderr (stdout belongs to the protocol), secrets redacted. pino is loaded with the
 * first line that is written, so that a quiet start does not pay for it.
 *
 * @param write   takes whole lines, newline included
 * @param secrets values of secret settings, which are hidden wherever they show
 */
export function createLog(
  level: LogLevelName,
  write: (line: string) => void,
  {
    secrets = [],
    importPino = () => import("pino"),
  }: { secrets?: readonly string[]; importPino?: () => Promise<{ default: typeof pino }> } = {},
): Log {
  const hide = hideValues(secrets);
  const threshold = LOG_LEVEL_NAMES.indexOf(level);
  const waiting: (() => void)[] = [];
  let log: Logger | undefined;
  let loading: Promise<void> | undefined;

  async function load(): Promise<void> {
    try {
      // The default export is the same in source and in a bundle; the named one is not.
      const { default: createPino } = await importPino();
      const formatters = { log: plain, level: (label: string) => ({ level: label }) };
      const serializers = { err: (facts: unknown) => facts };
      log = createPino(
        { level, formatters, serializers, base: { pid: process.pid } },
        { write: (line) => write(hide(line)) },
      );
    } catch {
      // No descriptor left to read it with, say: the next line tries again, and takes those that wait along.
      loading = undefined;
      return;
    }
    for (const each of waiting.splice(0)) each();
  }

  function at(name: Exclude<LogLevelName, "silent">): Logger["info"] {
    if (LOG_LEVEL_NAMES.indexOf(name) > threshold) return () => {};
    return (facts, message) => {
      if (log) return log[name](facts, message);
      if (waiting.length < MAX_WAITING) waiting.push(() => log?.[name](facts, message));
      loading ??= load();
    };
  }

  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    flush: () => loading ?? Promise.resolve(),
  };
}

/** Errors keep their name, message, code and stack, without credentials in them; everything else is redacted. */
function plain(facts: Record<string, unknown>): Record<string, unknown> {
  const errors = Object.entries(facts).filter((entry): entry is [string, Error] => entry[1] instanceof Error);
  return {
    ...(redact(facts) as JsonObject),
    ...Object.fromEntries(errors.map(([key, error]) => [key, errorFacts(error)])),
  };
}

function errorFacts(error: Error, depth = 0): Record<string, unknown> {
  const { name, stack } = error;
  const message = redactText(error.message);
  const code = "code" in error ? String(error.code) : undefined;
  const cause = error.cause instanceof Error && depth < MAX_CAUSES ? errorFacts(error.cause, depth + 1) : undefined;
  return { name, message, ...(code && { code }), ...(stack && { stack: redactText(stack) }), ...(cause && { cause }) };
}
