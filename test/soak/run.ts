/**
 * `npm run soak -- [--minutes 30]`: calls without a pause from several clients, servers killed and configuration
 * rewritten meanwhile. Ends with 0 when every answer was the right one or said that its server went away, a reload touched
 * nothing but what it changed, memory stayed flat, and nothing is left running.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { connectV1, connectV2, type Result, type TestClient } from "../interop/clients.ts";
import { plain } from "../gateway/plain.ts";
import { withGateway } from "../gateway/open-gateway.ts";
import { processesWith, rssMiB } from "../gateway/processes.ts";

const NAMES = ["one", "two", "three", "four"];
const KILL_EVERY_MS = 2_000;
const RELOAD_EVERY_MS = 5_000;
const LOOK_EVERY_MS = 5_000;
/** Later memory against earlier, both medians of a quarter of the time. */
const MAX_GROWTH = 1.15;
/** In a shorter run the heap still takes the size that it keeps: growth is told, and not judged. */
const JUDGED_FROM_MINUTES = 10;

const { values } = parseArgs({ options: { minutes: { type: "string", default: "30" } } });
const endsAt = Date.now() + Number(values.minutes) * 60_000;
const isOver = () => Date.now() >= endsAt;
const mark = `soak-${process.pid}`;

const serversWith = (turn: number) =>
  Object.fromEntries(
    NAMES.map((name, at) => {
      // One of them changes with every turn; the others must not notice.
      const env = at === turn % NAMES.length ? { TURN: String(turn) } : {};
      return [name, { ...plain(mark), env }];
    }),
  );

const found = { answered: 0, gone: 0, wrong: 0, kills: 0, reloads: 0, touched: 0 };
const memory: number[] = [];

await withGateway(
  serversWith(0),
  async ({ url, program, rewrite }) => {
    const clients = [await connectV1({ url }), await connectV2({ url }, "legacy"), await connectV2({ url }, "modern")];
    const pid = program.process.pid ?? 0;
    await Promise.all([
      ...clients.map((client, at) => callOn(client, at)),
      every(KILL_EVERY_MS, () => {
        const victims = processes();
        const victim = victims[Math.floor(Math.random() * victims.length)];
        if (victim !== undefined) process.kill(victim, "SIGKILL");
        found.kills++;
      }),
      every(RELOAD_EVERY_MS, async () => rewrite(serversWith(++found.reloads))),
      every(LOOK_EVERY_MS, () => {
        memory.push(rssMiB(pid));
        process.stderr.write(`${JSON.stringify(found)} rss ${memory.at(-1)} MiB, ${processes().length} servers\n`);
      }),
    ]);
    for (const client of clients) await client.close();
    // What was changed by the turn before, and by this one.
    const changes = [...program.log().matchAll(/servers changed: ([^"]*)/g)].map(([, names = ""]) => names.split(", "));
    found.touched = changes.filter((names) => names.length > 2).length;
  },
  { args: ["--exposure", "direct", "--tool-max-calls-per-window", "1000000"] },
);

await sleep(1_000);
const left = processes();
const quarter = Math.max(1, Math.floor(memory.length / 4));
const isJudged = Number(values.minutes) >= JUDGED_FROM_MINUTES;
const growth = median(memory.slice(-quarter)) / median(memory.slice(quarter, quarter * 2));
console.log(JSON.stringify({ ...found, growth: Number(growth.toFixed(3)), left }, null, 2));
if (found.wrong + found.touched > 0 || found.answered === 0 || left.length > 0 || (isJudged && growth > MAX_GROWTH))
  process.exitCode = 1;

async function callOn(client: TestClient, at: number): Promise<void> {
  for (let n = 0; !isOver(); n++) {
    const name = NAMES[(n + at) % NAMES.length] ?? "";
    const wanted = `${at} ${n} \u{1F600}`;
    try {
      const result = await client.call(`${name}__echo`, { text: wanted });
      if (result.isError && text(result).includes(name)) found.gone++;
      else if (!result.isError && text(result) === wanted) found.answered++;
      else wrong(result);
    } catch (error) {
      wrong(error);
    }
    if (n % 50 === 0) await sleep(5);
  }
}

function wrong(what: unknown): void {
  if (found.wrong++ < 20)
    process.stderr.write(`wrong: ${what instanceof Error ? what.message : JSON.stringify(what)}\n`);
}

function text(result: Result): string {
  return result.content.map((each) => each.text ?? "").join("");
}

async function every(ms: number, act: () => unknown): Promise<void> {
  while (!isOver()) {
    await sleep(ms);
    await act();
  }
}

function processes(): number[] {
  return processesWith(mark);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
