import { resolve } from "node:path";
import type { SecretEntry } from "../../credentials/credentials.ts";
import { argument, type Command, type CommandContext, JSON_FLAG } from "../command.ts";
import { askHidden, readSecretFrom } from "../hidden-input.ts";
import { readPlainFile } from "../plain-file.ts";
import { table } from "../print.ts";

const NAME = { name: "name", about: "Letters, digits and underscores, such as GITHUB_TOKEN." };

const set: Command = {
  name: "secret set",
  summary: "Keep a secret that tools may read by its name.",
  details:
    "The value is asked for without showing it, or read from standard input or a file; never given as an argument, " +
    "where other users of the machine could see it. It is sealed in the store, and a server that runs on it uses it at once. " +
    "One line end at its end is no part of it.",
  args: [NAME],
  flags: [{ names: ["--from-file"], form: "value", value: "file", about: "Read the value from a file." }],
  examples: ["secret set GITHUB_TOKEN", "secret set TLS_KEY --from-file key.pem"],
  async handler(context) {
    const name = argument(context, "name");
    const value = await readValue(context, name);
    await (await context.app()).secrets.set(name, value);
    context.terminal.err(`Kept ${name}. Tools that name it in their \`secrets\` list can read it.`);
  },
};

const list: Command = {
  name: "secret list",
  summary: "List secrets by name; values are never shown.",
  details: "With where each comes from: a variable `MCP_SECRET_<name>`, a file of the secrets folder, or the store.",
  args: [],
  flags: [JSON_FLAG],
  examples: ["secret list", "secret list --json"],
  async handler(context) {
    const entries = await (await context.app()).secrets.list();
    if (context.isJson) return context.terminal.out(JSON.stringify(entries));
    if (entries.length === 0) return context.terminal.err("No secrets. `dynamic-mcp secret set <name>` keeps one.");
    context.terminal.out(table(["name", "from", "tools", "changed"], entries.map(rowOf)));
  },
};

const remove: Command = {
  name: "secret rm",
  summary: "Forget a secret of the store.",
  details: "A variable or file of the same name stays what it is.",
  args: [NAME],
  flags: [],
  examples: ["secret rm GITHUB_TOKEN"],
  async handler(context) {
    const name = argument(context, "name");
    if (await (await context.app()).secrets.remove(name)) return context.terminal.err(`Forgot ${name}.`);
    context.terminal.err(`The store has no secret ${name}.`);
    return 1;
  },
};

export const SECRET_COMMANDS: readonly Command[] = [set, list, remove];

function rowOf({ name, provider, isAllowed, updatedAt }: SecretEntry): string[] {
  return [name, provider ?? "not set", isAllowed ? "may read it" : "may not", updatedAt?.slice(0, 10) ?? ""];
}

async function readValue(context: CommandContext, name: string): Promise<string> {
  const file = context.flag("--from-file");
  if (file !== undefined) return bare(await readPlainFile(resolve(context.cwd, file)));
  const { stdin } = context.terminal;
  if ("isTTY" in stdin && stdin.isTTY)
    return await askHidden(context, `Type or paste the value of ${name}, which does not show, and end it with Enter:`);
  return bare(await readSecretFrom(stdin));
}

/** Without what editors and shells add: a byte order mark, one line end. */
function bare(text: string): string {
  return text.replace(/^\uFEFF/, "").replace(/\r?\n$/, "");
}
