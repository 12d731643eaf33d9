import { resolve } from "node:path";
import { DynamicMcpError, ERRORS } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { argument, type Command, type CommandContext, JSON_FLAG } from "../command.ts";
import { fileBases } from "../file-names.ts";
import { operate } from "../operate.ts";
import { json, words } from "../print.ts";
import { type Definition, isSame, readTools, toDefinition, writeTools } from "../tool-files.ts";
import { allTools, findTool, getTool } from "./tools.ts";

export const toolsExport: Command = {
  name: "tools export",
  summary: "Write tools to a folder that can live in git.",
  details:
    "Each tool becomes <name>.tool.json, with what is said about it, and <name>.js or <name>.ts with its code. Files of tools that are gone are left alone; a link or pipe of that name is replaced, not written through. Names of files are the names of the tools with `_` for dots and colons; to those that Windows keeps for devices, and to those that differ from another tool in capitals only, `+` and a number are added: `con+0.js`, `text_Upper+20.js`.",
  args: [
    { name: "folder", about: "Made if it is not there." },
    { name: "names", about: "Only these tools.", isOptional: true, repeats: true },
  ],
  flags: [JSON_FLAG],
  examples: ["tools export ./tools", "tools export ./tools text.uppercase"],
  async handler(context) {
    const folder = resolve(context.cwd, argument(context, "folder"));
    const wanted = context.args["names"] ?? [];
    const all = await allTools(context, { includeDisabled: true });
    const named = (tools: readonly JsonObject[]) => tools.map((tool) => words(tool["name"]));
    const names = wanted.length > 0 ? wanted : named(all.filter((tool) => !tool["quarantine"]));
    const tools: Definition[] = [];
    for (const name of names) tools.push(toDefinition(await getTool(context, name)));
    await writeTools(folder, tools, fileBases(named(all)));
    if (context.isJson) context.terminal.out(json({ folder, tools: tools.map(({ name }) => name) }));
    else context.terminal.out(`Wrote ${count(tools.length)} to ${folder}.`);
  },
};

type Outcome = { name: string; outcome: "created" | "updated" | "unchanged" | "kept" | "failed"; message?: string };

export const toolsImport: Command = {
  name: "tools import",
  summary: "Take in tools from a folder that was exported, or from an older tools.json.",
  details:
    "Tools that differ are updated, which makes a new revision; those that are the same are left alone. One that is refused does not stop the others; the exit code is then 1. Only regular files are read, and no links that lead out of the folder.",
  args: [{ name: "from", about: "A folder, one <name>.tool.json, or a tools.json of the older dynamic-mcp." }],
  flags: [
    { names: ["--keep"], form: "switch", about: "Leave tools alone that are there already." },
    { names: ["--dry-run"], form: "switch", about: "Check everything and run the examples, but keep nothing." },
    JSON_FLAG,
  ],
  examples: ["tools import ./tools", "tools import ~/.dynamic-mcp/tools.json --keep"],
  async handler(context) {
    const tools = await readTools(resolve(context.cwd, argument(context, "from")));
    const outcomes: Outcome[] = [];
    for (const tool of tools) {
      const outcome = await take(context, tool);
      outcomes.push(outcome);
      const { name, message } = outcome;
      if (!context.isJson)
        context.terminal.out(`${outcome.outcome.padEnd(9)}  ${name}${message ? `: ${message}` : ""}`);
    }
    if (context.isJson) context.terminal.out(json(outcomes));
    return outcomes.some(({ outcome }) => outcome === "failed") ? ERRORS.EXAMPLE_FAILED.exit : 0;
  },
};

async function take(context: CommandContext, tool: Definition): Promise<Outcome> {
  const { name } = tool;
  const dryRun: JsonObject = context.has("--dry-run") ? { dryRun: true } : {};
  try {
    const there = await findTool(context, name);
    if (!there) {
      await operate(context, "dynamic.tool.create", { tool, ...dryRun });
      return { name, outcome: "created" };
    }
    const current = toDefinition(there);
    if (isSame(current, tool)) return { name, outcome: "unchanged" };
    if (context.has("--keep")) return { name, outcome: "kept" };
    const revision = there["revision"];
    await operate(context, "dynamic.tool.update", {
      name,
      patch: patchBetween(current, tool),
      ...(typeof revision === "number" && { expectedRevision: revision }),
      ...dryRun,
    });
    return { name, outcome: "updated" };
  } catch (error) {
    // A tool that needs an engine which is not here says nothing about the others.
    const isItsOwn = error instanceof DynamicMcpError && (error.spec.fault === "caller" || error.code === "ENGINE_UNAVAILABLE"); // prettier-ignore
    if (!isItsOwn) throw error;
    return { name, outcome: "failed", message: error.message };
  }
}

/** What makes `to` of `from`; fields that are gone are cleared. */
function patchBetween(from: Definition, to: Definition): JsonObject {
  const patch: JsonObject = {};
  for (const [field, value] of Object.entries(toDefinition(to))) {
    if (field !== "name" && JSON.stringify(from[field]) !== JSON.stringify(value)) patch[field] = value;
  }
  for (const field of [
    "title",
    "inputSchema",
    "outputSchema",
    "annotations",
    "image",
    "timeoutMs",
    "dependencies",
    "examples",
  ]) {
    if (field in from && !(field in to)) patch[field] = null;
  }
  if (from["language"] === "ts" && !("language" in to)) patch["language"] = "js";
  if (from["enabled"] === false && !("enabled" in to)) patch["enabled"] = true;
  return patch;
}

const count = (n: number) => (n === 1 ? "1 tool" : `${n} tools`);
