import type { CallRecord } from "../../core/call.ts";
import { type Command, JSON_FLAG } from "../command.ts";
import { clip, oneLine } from "../print.ts";
import { wholeNumber } from "../values.ts";

const POLL_MS = 500;
/** Records are kept in batches, so one may become visible a little after a newer one of another process. */
const OVERLAP_MS = 10_000;

export const journalTail: Command = {
  name: "journal tail",
  summary: "Show the latest calls, oldest first.",
  details:
    "Refusals and failures too: who called what, how it ended, how long it took. With `--json`, a line of JSON for each.",
  args: [],
  flags: [
    { names: ["-n", "--lines"], form: "value", value: "count", about: "How many; 20 by default." },
    { names: ["-f", "--follow"], form: "switch", about: "Go on and show calls as they come." },
    { names: ["--tool"], form: "value", value: "name", about: "Only calls of this tool." },
    JSON_FLAG,
  ],
  examples: ["journal tail", "journal tail -n 100 --json", "journal tail --follow --tool text.uppercase"],
  stopsItself: true,
  async handler(context) {
    const app = await context.app();
    const limit = wholeNumber(context.flag("-n") ?? "20", "-n", 1);
    const tool = context.flag("--tool");
    const only = tool === undefined ? {} : { tool };
    const print = (record: CallRecord) =>
      context.terminal.out(context.isJson ? JSON.stringify(record) : describe(record));

    const latest = await app.store.calls.recent({ limit, ...only });
    for (const record of latest.toReversed()) print(record);
    if (!context.has("-f")) {
      if (latest.length === 0) context.terminal.err("No calls yet.");
      return;
    }

    let seen = new Map(latest.map((record) => [record.id, record.at]));
    let newest = latest[0]?.at ?? new Date().toISOString();
    while (!context.isStopped()) {
      await pause(POLL_MS, context.stopped);
      const since = new Date(Date.parse(newest) - OVERLAP_MS).toISOString();
      const fresh = await app.store.calls.recent({ limit: 1000, since, ...only });
      for (const record of fresh.toReversed()) if (!seen.has(record.id)) print(record);
      if (fresh[0] && fresh[0].at > newest) newest = fresh[0].at;
      seen = new Map([...seen].filter(([, at]) => at >= since));
      for (const record of fresh) seen.set(record.id, record.at);
    }
  },
};

function describe({ at, outcome, durationMs, principal, name, code, message }: CallRecord): string {
  const how = [code, message && oneLine(message)].filter(Boolean).join(": ");
  const time = `${at.slice(0, 19).replace("T", " ")}Z`;
  const facts = [time, outcome.padEnd(7), `${Math.round(durationMs)} ms`.padStart(9), principal, oneLine(name)];
  return clip(`${facts.join("  ")}${how ? `  ${how}` : ""}`, 200);
}

/** Ends early when somebody asks to stop. */
async function pause(ms: number, stopped: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([over, stopped]);
  clearTimeout(timer);
}
