import type { Logger } from "../core/source.ts";
import { redact } from "../core/redact.ts";

export const LOG_LEVEL_NAMES = ["silent", "error", "warn", "info", "debug"] as const;
export type LogLevelName = (typeof LOG_LEVEL_NAMES)[number];

/**
 * Our log: JSON lines of pino on stderr (stdout belongs to the protocol), secrets redacted. pino is loaded with the
 * first line that is written, so that a quiet start does not pay for it.
 *
 * @param write takes whole lines, newline included
 */
export function createLog(level: LogLevelName, write: (line: string) => void): Logger {
  const threshold = LOG_LEVEL_NAMES.indexOf(level);
  const waiting: (() => void)[] = [];
  let log: Logger | undefined;
  let isLoading = false;

  async function load(): Promise<void> {
    // The default export is the same in source and in a bundle; the named one is not.
    const { default: pino } = await import("pino");
    const formatters = { log: plain, level: (label: string) => ({ level: label }) };
    const serializers = { err: (facts: unknown) => facts };
    log = pino({ level, formatters, serializers, base: { pid: process.pid } }, { write });
    for (const each of waiting.splice(0)) each();
  }

  function at(name: Exclude<LogLevelName, "silent">): Logger["info"] {
    if (LOG_LEVEL_NAMES.indexOf(name) > threshold) return () => {};
    return (facts, message) => {
      if (log) return log[name](facts, message);
      waiting.push(() => log?.[name](facts, message));
      if (!isLoading) {
        isLoading = true;
        void load();
      }
    };
  }

  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Errors keep their name, message, code and stack; everything else is redacted. */
function plain(facts: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(facts).map(([key, value]) => [key, value instanceof Error ? errorFacts(value) : redact(value)]),
  );
}

function errorFacts(error: Error): Record<string, unknown> {
  const { name, message, stack } = error;
  const code = "code" in error ? String(error.code) : undefined;
  const cause = error.cause instanceof Error ? errorFacts(error.cause) : undefined;
  return { name, message, ...(code && { code }), stack, ...(cause && { cause }) };
}
