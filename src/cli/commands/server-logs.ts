import { open, stat } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { isJsonObject } from "../../core/json.ts";
import { logFolderIn, logPath } from "../../fleet/log-file.ts";
import { serverNotFound } from "../../fleet/not-found.ts";
import { argument, type Command, type CommandContext, JSON_FLAG } from "../command.ts";
import { safe, safeJson, words } from "../print.ts";
import { parseJson, wholeNumber } from "../values.ts";

const POLL_MS = 300;
/** Of the end of a file; more than such a file may have. */
const MAX_BYTES = 4_194_304;

export const serverLogs: Command = {
  name: "servers logs",
  summary: "Show the last lines that a server wrote to stderr, and what became of it.",
  details: "As written down by whoever serves on this data folder.",
  args: [{ name: "name", about: "Of the server." }],
  flags: [
    { names: ["-n", "--lines"], form: "value", value: "count", about: "How many; 20 by default." },
    { names: ["-f", "--follow"], form: "switch", about: "Go on and show lines as they come." },
    JSON_FLAG,
  ],
  examples: ["servers logs github", "servers logs github -n 200", "servers logs github --follow"],
  stopsItself: true,
  async handler(context) {
    const name = argument(context, "name");
    const limit = wholeNumber(context.flag("-n") ?? "20", "-n", 1);
    const file = logPath(logFolderIn(context.loaded.settings.server.dataDir), name);
    const rest = createLines((line) => print(context, line));
    let at = (await stat(file).catch(() => undefined))?.size;
    if (at === undefined) await assertKnown(context, name);
    const text = `${await readFrom(`${file}.1`, 0)}${await readFrom(file, 0, at)}`;
    const lines = text.split("\n").filter((line) => line !== "");
    for (const line of lines.slice(-limit)) print(context, line);
    if (lines.length === 0 && !context.isJson) context.terminal.err(`Nothing is written down of ${name} yet.`);
    while (context.has("-f") && !context.isStopped()) {
      await Promise.race([wait(POLL_MS, undefined, { ref: true }), context.stopped]);
      const size = (await stat(file).catch(() => undefined))?.size ?? 0;
      if (size < (at ?? 0)) at = 0; // a new file took its place
      rest(await readFrom(file, at ?? 0, size));
      at = size;
    }
  },
};

/** One that has never been served is known to the store or a file; a wrong name is told. */
async function assertKnown(context: CommandContext, name: string): Promise<void> {
  const { fleet } = await context.app();
  if (fleet.server(name)) return;
  throw serverNotFound(name, fleet.servers().map((each) => each.name), { otherwise: "`servers list` lists them" }); // prettier-ignore
}

async function readFrom(file: string, from: number, to?: number): Promise<string> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return "";
  try {
    const end = to ?? (await handle.stat()).size;
    const start = Math.max(from, end - MAX_BYTES);
    const bytes = Buffer.alloc(Math.max(0, end - start));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
    return bytes.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Whole lines of what comes in pieces. */
function createLines(each: (line: string) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") each(line);
  };
}

/** A line is JSON: when, where from, what. */
function print(context: CommandContext, line: string): void {
  if (context.isJson) return context.terminal.out(safeJson(line));
  let read;
  try {
    read = parseJson(line, "a line of the log");
  } catch {
    return; // cut by whoever was killed while writing it
  }
  if (!isJsonObject(read)) return;
  const from = read["from"] === "gateway" ? "-- " : "";
  // Further lines are set in: they must not look like lines of their own, with a time that the server made up.
  const text = safe(words(read["text"])).replaceAll("\n", "\n    ");
  context.terminal.out(`${words(read["at"]).slice(0, 19).replace("T", " ")}Z  ${from}${text}`);
}
