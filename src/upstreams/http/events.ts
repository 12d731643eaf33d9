import { createParser, type EventSourceMessage } from "eventsource-parser";
import { DynamicMcpError } from "../../core/errors.ts";

/** What a stream of server-sent events tells, event by event. */
export interface EventListener {
  onEvent(event: EventSourceMessage): void;
  /** May come without an event. */
  onId?(id: string): void;
  /** How long to wait before asking for the stream again, in ms; bounded. */
  onRetry?(ms: number): void;
}

export interface EventReader {
  /** @throws TOO_LARGE when one event has more than the limit; the reader is of no use after it */
  push(chunk: Buffer): void;
}

/** A server may ask to be left alone, but not for ever, nor to be asked without end. */
const RETRY_MS = { min: 50, max: 60_000 };
const FIELD_NAMES_CHARS = 64;
const MAX_ID_CHARS = 4_096;

/** @param maxEventBytes largest event, counted in characters */
export function createEventReader(maxEventBytes: number, listener: EventListener): EventReader {
  const decoder = new TextDecoder();
  let isTooLarge = false;
  const parser = createParser({
    // Room for the names of fields, which are no part of an event.
    maxBufferSize: maxEventBytes + FIELD_NAMES_CHARS,
    onEvent: (event) => {
      // One that came at once is not buffered, and so not counted.
      if (event.data.length > maxEventBytes) isTooLarge = true;
      else if (!isTooLarge) listener.onEvent(event);
    },
    onId: (id) => {
      // A longer one could not be sent back as a header.
      if (id.length <= MAX_ID_CHARS) listener.onId?.(id);
    },
    onRetry: (ms) => listener.onRetry?.(Math.min(Math.max(ms, RETRY_MS.min), RETRY_MS.max)),
    onError: (error) => {
      if (error.type === "max-buffer-size-exceeded") isTooLarge = true;
    },
  });
  return {
    push(chunk) {
      parser.feed(decoder.decode(chunk, { stream: true }));
      if (!isTooLarge) return;
      throw new DynamicMcpError("TOO_LARGE", `an event of the stream has more than ${maxEventBytes} bytes`, {
        data: { maxBytes: maxEventBytes },
      });
    },
  };
}
