import type { Hide } from "../core/redact.ts";
import type { LogLine } from "./fleet.ts";

const MAX_LINE_CHARS = 4_000;

/** The last lines of a server. Secrets are taken out when they are shown: a flood costs nothing but its lines. */
export interface LogRing {
  add(from: LogLine["from"], text: string): void;
  /** Oldest first. */
  lines(): LogLine[];
  /** Those that came after the last time this was asked. */
  fresh(): LogLine[];
}

interface Kept {
  at: number;
  from: LogLine["from"];
  text: string;
}

const DROPPED: Kept = { at: 0, from: "gateway", text: "" };

/** @param bounds most lines, and characters in all */
export function createLogRing(bounds: { lines: number; chars: number }, now: () => number, hide: Hide): LogRing {
  // A queue with a moving head: `shift` of an array would cost as much as there are lines.
  let kept: Kept[] = [];
  let head = 0;
  let chars = 0;
  let freshFrom = 0;

  function dropOldest(): void {
    chars -= kept[head]?.text.length ?? 0;
    kept[head] = DROPPED; // its text is free now, not when the queue is cut
    head++;
    if (head < bounds.lines) return;
    kept = kept.slice(head);
    freshFrom = Math.max(0, freshFrom - head);
    head = 0;
  }

  const shown = ({ at, from, text }: Kept): LogLine => {
    const isCut = text.endsWith("...");
    return { at: new Date(at).toISOString(), from, text: isCut ? hide(text, "end") : hide(text) };
  };

  return {
    add(from, text) {
      const line = text.length > MAX_LINE_CHARS ? `${text.slice(0, MAX_LINE_CHARS)}...` : text;
      kept.push({ at: now(), from, text: line });
      chars += line.length;
      while (kept.length - head > bounds.lines || (chars > bounds.chars && kept.length - head > 1)) dropOldest();
    },
    lines: () => kept.slice(head).map(shown),
    fresh() {
      const lines = kept.slice(Math.max(head, freshFrom)).map(shown);
      freshFrom = kept.length;
      return lines;
    },
  };
}
