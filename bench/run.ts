/**
 * Measures the program against floors of the same run.
 *
 *   npm run bench -- [suite ...] [--rounds N] [--json] [--smoke]
 *
 * Exit code 1 when a demand is missed; with `--smoke` (one small round, to see that it works) only when a suite breaks.
 */
import { parseArgs } from "node:util";
import { meets, type Row } from "./lib/rounds.ts";
import type { Suite } from "./lib/suite.ts";
import { table } from "./lib/table.ts";
import { call } from "./suites/call.ts";
import { channels } from "./suites/channels.ts";
import { engines } from "./suites/engines.ts";
import { gateway } from "./suites/gateway.ts";
import { list } from "./suites/list.ts";
import { start } from "./suites/start.ts";

const SUITES: Record<string, Suite> = { engines, call, start, list, channels, gateway };

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    json: { type: "boolean", default: false },
    smoke: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const rounds = options.smoke ? 1 : Number(options.rounds);
const wanted = positionals.length === 0 ? Object.keys(SUITES) : positionals;
const unknown = wanted.find((name) => !(name in SUITES));

if (options.help || unknown !== undefined || !Number.isInteger(rounds) || rounds < 1) {
  if (unknown !== undefined) console.error(`there is no suite "${unknown}"`);
  console.error("npm run bench -- [suite ...] [--rounds N] [--json] [--smoke]\n");
  for (const [name, { summary }] of Object.entries(SUITES)) console.error(`  ${name.padEnd(10)} ${summary}`);
  process.exitCode = options.help ? 0 : 2;
} else {
  await measure();
}

async function measure(): Promise<void> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const rows: Row[] = [];
  for (const name of wanted) {
    say(`${name}: ${SUITES[name]?.summary}`);
    rows.push(...((await SUITES[name]?.run({ rounds, scale: options.smoke ? 0.02 : 1, say })) ?? []));
  }
  console.log(
    options.json ? JSON.stringify({ node: process.version, rounds, rows }, null, 2) : table(rows, !options.smoke),
  );
  const missed = rows.filter((row) => row.skipped === undefined && !meets(row));
  if (missed.length > 0 && !options.smoke) process.exitCode = 1;
}
