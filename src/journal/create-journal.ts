import type { CallRecord } from "../core/call.ts";
import type { Logger } from "../core/source.ts";
import type { Journal } from "./journal.ts";

/** Where records end up. Each gets whole batches, in order, one at a time. */
export interface JournalSink {
  append(records: readonly CallRecord[]): Promise<void>;
  close?(): Promise<void>;
}

export interface JournalOptions {
  sinks: { name: string; sink: JournalSink }[];
  log: Logger;
  /** Longest wait before a record is written, in ms. */
  delayMs?: number;
  /** Records held for a sink that does not take them; beyond it the oldest are dropped and counted in our log. */
  maxWaiting?: number;
}

/** A {@link Journal} that collects records and hands them to its sinks in batches. One sink's failure harms no other. */
export function createJournal({ sinks, log, delayMs = 250, maxWaiting = 20_000 }: JournalOptions): Journal {
  const outlets = sinks.map(({ name, sink }) => createOutlet(name, sink, log, maxWaiting));
  let timer: NodeJS.Timeout | undefined;

  const flush = async () => {
    clearTimeout(timer);
    timer = undefined;
    await Promise.all(outlets.map((outlet) => outlet.flush()));
  };

  return {
    record(record) {
      for (const outlet of outlets) outlet.add(record);
      timer ??= setTimeout(() => void flush(), delayMs).unref();
    },
    flush,
    async close() {
      await flush();
      await Promise.all(sinks.map(async ({ sink }) => sink.close?.()));
    },
  };
}

function createOutlet(name: string, sink: JournalSink, log: Logger, maxWaiting: number) {
  let waiting: CallRecord[] = [];
  let writing = Promise.resolve();
  let dropped = 0;
  let isFailing = false;

  async function write(): Promise<void> {
    if (waiting.length === 0) return;
    const batch = waiting;
    waiting = [];
    try {
      await sink.append(batch);
      if (isFailing) log.info({ sink: name, dropped }, "the journal can be written again");
      isFailing = false;
      dropped = 0;
    } catch (error) {
      if (!isFailing) log.error({ sink: name, err: error }, "the journal cannot be written; records wait in memory");
      isFailing = true;
      waiting = [...batch, ...waiting];
      trim();
    }
  }

  function trim(): void {
    if (waiting.length <= maxWaiting) return;
    dropped += waiting.length - maxWaiting;
    waiting = waiting.slice(-maxWaiting);
  }

  return {
    add(record: CallRecord): void {
      waiting.push(record);
      if (waiting.length > 2 * maxWaiting) trim();
    },
    flush(): Promise<void> {
      writing = writing.then(write);
      return writing;
    },
  };
}
