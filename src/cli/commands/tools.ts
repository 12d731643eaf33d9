import { resolve } from "node:path";
import { hasCode } from "../../core/errors.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { argument, type Command, type CommandContext, type CommandFlag, JSON_FLAG } from "../command.ts";
import type { Named } from "../../surface/surface.ts";
import { allNamed, assertServer, knowServers, namedTool, tellSilent } from "../known-tools.ts";
import { operate } from "../operate.ts";
import { json, safe, table, words } from "../print.ts";
import { parseJson, readValue, wholeNumber } from "../values.ts";

const NAME = { name: "name", about: "Name of the tool, in either spelling." };
const EXPECTED: CommandFlag = { names: ["--expected-revision"], form: "value", value: "n", about: "Only if this is still the newest revision." }; // prettier-ignore
const DRY_RUN: CommandFlag = { names: ["--dry-run"], form: "switch", about: "Check everything and run the examples, but keep nothing." }; // prettier-ignore

/** Fields of a tool as flags. The JSON ones take the text itself, `@file` or `-`. */
const FIELD_FLAGS: readonly (CommandFlag & { field: string; reads: "text" | "number" | "list" | "json" })[] = [
  { names: ["--title"], form: "value", value: "text", about: "Name for people.", field: "title", reads: "text" },
  { names: ["--description"], form: "value", value: "text", about: "What it does and when to use it.", field: "description", reads: "text" },
  { names: ["--code"], form: "value", value: "code", about: "Body of `async function run(args)`: the code itself, `@file`, or `-`.", field: "code", reads: "text" },
  { names: ["--language"], form: "value", value: "js|ts", about: "Default: js, or what the name of the file says.", field: "language", reads: "text" },
  { names: ["--image"], form: "value", value: "image", about: "Container image that it prefers.", field: "image", reads: "text" },
  { names: ["--timeout-ms"], form: "value", value: "ms", about: "Time limit of one call.", field: "timeoutMs", reads: "number" },
  { names: ["--dependencies"], form: "value", value: "json", about: "npm packages: `[{ name, version }]`.", field: "dependencies", reads: "json" },
  { names: ["--network"], form: "value", value: "hosts", about: "Hosts that `fetch` may reach, separated by commas.", field: "network", reads: "list" },
  { names: ["--secrets"], form: "value", value: "names", about: "Secrets that the code may read, separated by commas.", field: "secrets", reads: "list" },
  { names: ["--uses"], form: "value", value: "tools", about: "Tools that the code may call, separated by commas.", field: "uses", reads: "list" },
  { names: ["--input-schema"], form: "value", value: "json", about: "JSON Schema of the arguments: text, `@file` or `-`.", field: "inputSchema", reads: "json" },
  { names: ["--output-schema"], form: "value", value: "json", about: "JSON Schema of the result.", field: "outputSchema", reads: "json" },
  { names: ["--annotations"], form: "value", value: "json", about: "Hints for clients.", field: "annotations", reads: "json" },
  { names: ["--examples"], form: "value", value: "json", about: "Examples to run first: `[{ args, result? }]`.", field: "examples", reads: "json" },
]; // prettier-ignore

const SERVER: CommandFlag = { names: ["--server"], form: "value", value: "name", about: "Only of this server; its own names for its tools can be used then." }; // prettier-ignore

const list: Command = {
  name: "tools list",
  summary: "List tools: those made from code, those of packs, and those of other servers.",
  details: "Servers whose tools are not known yet are asked. Built-in tools are left out, unless `--all` is given.",
  args: [
    {
      name: "words",
      about: "Only tools with all these words in name, title or description.",
      isOptional: true,
      repeats: true,
    },
  ],
  flags: [
    SERVER,
    { names: ["--disabled"], form: "switch", about: "Disabled and damaged ones too." },
    { names: ["--all"], form: "switch", about: "Built-in ones too." },
    JSON_FLAG,
  ],
  examples: ["tools list", "tools list text --json", "tools list --server github"],
  async handler(context) {
    const search = (context.args["words"] ?? []).join(" ");
    const server = context.flag("--server");
    if (server !== undefined) assertServer((await context.app()).fleet, server);
    const silent = await knowServers(context, server === undefined ? undefined : [server]);
    tellSilent(context, silent);
    const own = server === undefined ? await allTools(context, { ...(search && { search }), includeDisabled: context.has("--disabled") }) : []; // prettier-ignore
    const named = await allNamed(context);
    const others = named.filter(
      ({ source, listing }) =>
        source.name !== AUTHORED &&
        (server === undefined || listing.group === server) &&
        (listing.toolset === undefined || context.has("--all")),
    );
    const found = others.filter((each) => hasWords(each, search)).map(summaryOf);
    if (context.isJson) return context.terminal.out(json([...own, ...found]));
    if (own.length + found.length === 0)
      return context.terminal.err(search ? "No tool has these words." : "No tools yet.");
    const rows = [
      ...own.map((tool) => [
        words(tool["name"]),
        "code",
        tool["quarantine"]
          ? "damaged"
          : `${tool["enabled"] ? "enabled" : "disabled"}, revision ${words(tool["revision"])}`,
        words(tool["quarantine"] ?? tool["description"]),
      ]),
      ...found.map((tool) => [tool.name, tool.server ?? tool.source, "", tool.description]),
    ];
    context.terminal.out(table(["name", "from", "state", "description"], rows));
  },
};

const inspect: Command = {
  name: "tools inspect",
  summary: "Show what any tool takes and gives, also one of another server.",
  details: "`tools get` shows the code of one that was made from code.",
  args: [NAME],
  flags: [SERVER, JSON_FLAG],
  examples: ["tools inspect text.uppercase", "tools inspect create_issue --server github --json"],
  async handler(context) {
    const named = await namedTool(context, argument(context, "name"), context.flag("--server"));
    const { title, description, inputSchema, outputSchema, annotations, meta } = named.load();
    const { server, nameInServer, source } = summaryOf(named);
    const said: JsonObject = {
      name: named.name,
      ...(server === undefined ? { source } : { server, nameInServer: nameInServer ?? named.name }),
      ...(title !== undefined && { title }),
      ...(description !== undefined && { description }),
      ...(annotations && { annotations: { ...annotations } }),
      inputSchema,
      ...(outputSchema && { outputSchema }),
      ...(meta && { _meta: meta }),
    };
    if (context.isJson) return context.terminal.out(json(said));
    for (const [key, value] of Object.entries(said)) {
      context.terminal.out(safe(`${key}: ${isJsonObject(value) ? json(value) : words(value)}`));
    }
  },
};

const get: Command = {
  name: "tools get",
  summary: "Show a tool with its code.",
  args: [NAME],
  flags: [
    { names: ["--revision"], form: "value", value: "n", about: "As it was then." },
    { names: ["--code-only"], form: "switch", about: "Print the code and nothing else." },
    JSON_FLAG,
  ],
  examples: ["tools get text.uppercase", "tools get text.uppercase --code-only > uppercase.js"],
  async handler(context) {
    const revision = context.flag("--revision");
    const tool = await getTool(context, argument(context, "name"), revision === undefined ? undefined : wholeNumber(revision, "--revision", 1)); // prettier-ignore
    if (context.isJson) return context.terminal.out(json(tool));
    const { code, ...said } = tool;
    if (context.has("--code-only")) return context.terminal.out(words(code));
    const lines = Object.entries(said).map(([key, value]) => `${key}: ${words(value)}`);
    context.terminal.out(safe([...lines, "", words(code)].join("\n")));
  },
};

const create: Command = {
  name: "tools create",
  summary: "Make a tool from code.",
  details: "Give a name and flags, or a file <name>.tool.json as `tools export` writes it. Examples are run first.",
  args: [{ name: "name", about: "Name of the new tool, or a file that ends with .tool.json." }],
  flags: [
    ...FIELD_FLAGS,
    { names: ["--disabled"], form: "switch", about: "Keep it without listing it." },
    DRY_RUN,
    JSON_FLAG,
  ],
  examples: [
    `tools create text.uppercase --description "Makes text upper case" --code "return args.text.toUpperCase()"`,
    'tools create text.uppercase --description "Makes text upper case" --code @uppercase.ts --dry-run',
    "tools create ./tools/text_uppercase.tool.json",
  ],
  async handler(context) {
    const name = argument(context, "name");
    const fields = await fieldsOf(context);
    const isFile = name.endsWith(".tool.json");
    const base: JsonObject = isFile
      ? await (await import("../tool-files.ts")).readToolFile(resolve(context.cwd, name))
      : { name };
    const tool = { ...base, ...fields, ...(context.has("--disabled") && { enabled: false }) };
    await show(context, "dynamic.tool.create", { tool, ...dryRun(context) });
  },
};

const update: Command = {
  name: "tools update",
  summary: "Change a tool; what was there stays as an older revision.",
  args: [NAME],
  flags: [
    ...FIELD_FLAGS,
    {
      names: ["--clear"],
      form: "value",
      value: "fields",
      about: "Fields to take away, separated by commas, such as title,inputSchema.",
    },
    EXPECTED,
    DRY_RUN,
    JSON_FLAG,
  ],
  examples: ["tools update text.uppercase --code @uppercase.js", "tools update text.uppercase --clear title"],
  async handler(context) {
    const cleared = listOf(context.flag("--clear") ?? "");
    const patch = { ...Object.fromEntries(cleared.map((field) => [field, null])), ...(await fieldsOf(context)) };
    const name = argument(context, "name");
    await show(context, "dynamic.tool.update", { name, patch, ...expected(context), ...dryRun(context) });
  },
};

const remove: Command = {
  name: "tools delete",
  summary: "Delete a tool.",
  args: [NAME],
  flags: [EXPECTED, JSON_FLAG],
  examples: ["tools delete text.uppercase"],
  async handler(context) {
    await show(context, "dynamic.tool.delete", { name: argument(context, "name"), ...expected(context) });
  },
};

const switched = (name: string, summary: string, enabled: boolean): Command => ({
  name,
  summary,
  args: [NAME],
  flags: [EXPECTED, JSON_FLAG],
  examples: [`${name} text.uppercase`],
  async handler(context) {
    await show(context, "dynamic.tool.enable", { name: argument(context, "name"), enabled, ...expected(context) });
  },
});

const history: Command = {
  name: "tools history",
  summary: "Show the revisions of a tool, newest first.",
  args: [NAME],
  flags: [{ names: ["-n", "--lines"], form: "value", value: "count", about: "How many; 20 by default." }, JSON_FLAG],
  examples: ["tools history text.uppercase"],
  async handler(context) {
    const limit = wholeNumber(context.flag("-n") ?? "20", "-n", 1);
    const { data } = await operate(context, "dynamic.tool.history", { name: argument(context, "name"), limit });
    if (context.isJson) return context.terminal.out(json(data));
    const rows = objects(data["revisions"]).map((each) =>
      ["revision", "at", "author", "change"].map((field) => words(each[field])),
    );
    context.terminal.out(table(["revision", "at", "author", "change"], rows));
  },
};

const rollback: Command = {
  name: "tools rollback",
  summary: "Bring back what a tool was at an earlier revision, as a new revision.",
  args: [NAME, { name: "revision", about: "The revision to bring back." }],
  flags: [EXPECTED, JSON_FLAG],
  examples: ["tools rollback text.uppercase 3"],
  async handler(context) {
    const revision = wholeNumber(argument(context, "revision"), "revision", 1);
    await show(context, "dynamic.tool.rollback", { name: argument(context, "name"), revision, ...expected(context) });
  },
};

export const TOOL_COMMANDS: readonly Command[] = [
  list,
  inspect,
  get,
  create,
  update,
  remove,
  switched("tools enable", "List a tool and let it be called.", true),
  switched("tools disable", "Keep a tool, but neither list it nor let it be called.", false),
  history,
  rollback,
];

/** The Source of tools that were made from code, which `dynamic.tool.list` knows more about. */
const AUTHORED = "authored";

interface Summary {
  name: string;
  /** Absent for what is made or built here. */
  server?: string;
  nameInServer?: string;
  source: string;
  title?: string;
  description: string;
}

function summaryOf(named: Named<"tool">): Summary {
  const { group, nameInGroup } = named.listing;
  const { title, description = "" } = named.load();
  return {
    name: named.name,
    ...(group !== undefined && { server: group }),
    ...(nameInGroup !== undefined && { nameInServer: nameInGroup }),
    source: named.source.name,
    ...(title !== undefined && { title }),
    description,
  };
}

function hasWords(named: Named<"tool">, search: string): boolean {
  const { title = "", description = "" } = named.load();
  const text = `${named.name} ${title} ${description}`.toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => text.includes(word)); // prettier-ignore
}

/** Every page of a list. */
export async function allTools(context: CommandContext, query: JsonObject): Promise<JsonObject[]> {
  const found: JsonObject[] = [];
  for (let cursor: string | undefined; ;) {
    const { data } = await operate(context, "dynamic.tool.list", { ...query, ...(cursor !== undefined && { cursor }) });
    found.push(...objects(data["tools"]));
    const next = data["nextCursor"];
    if (typeof next !== "string" || next === cursor) return found;
    cursor = next;
  }
}

/** @throws TOOL_NOT_FOUND */
export async function getTool(context: CommandContext, name: string, revision?: number): Promise<JsonObject> {
  const { data } = await operate(context, "dynamic.tool.get", { name, ...(revision !== undefined && { revision }) });
  const tool = data["tool"];
  return isJsonObject(tool) ? tool : data;
}

export async function findTool(context: CommandContext, name: string): Promise<JsonObject | undefined> {
  try {
    return await getTool(context, name);
  } catch (error) {
    if (hasCode(error, "TOOL_NOT_FOUND")) return undefined;
    throw error;
  }
}

/** Runs an operation and prints what it says. */
async function show(context: CommandContext, operation: string, args: JsonObject): Promise<void> {
  const { text, data } = await operate(context, operation, args);
  context.terminal.out(context.isJson ? json(data) : safe(text));
}

async function fieldsOf(context: CommandContext): Promise<JsonObject> {
  const found: JsonObject = {};
  for (const { names, field, reads } of FIELD_FLAGS) {
    const [flag = ""] = names;
    const given = context.flag(flag);
    if (given === undefined) continue;
    if (reads === "number") found[field] = wholeNumber(given, flag, 1);
    else if (reads === "list") found[field] = listOf(given);
    else if (reads === "json") found[field] = parseJson(await readValue(context, given), flag);
    else found[field] = field === "code" ? await readValue(context, given) : given;
    if (field === "code" && /^@.*\.ts$/.test(given)) found["language"] = "ts";
  }
  const language = context.flag("--language");
  return language === undefined ? found : { ...found, language };
}

/** `a, b` */
const listOf = (text: string) =>
  text
    .split(",")
    .map((each) => each.trim())
    .filter(Boolean);

const dryRun = (context: CommandContext) => (context.has("--dry-run") ? { dryRun: true } : {});

function expected(context: CommandContext): JsonObject {
  const given = context.flag("--expected-revision");
  return given === undefined ? {} : { expectedRevision: wholeNumber(given, "--expected-revision", 1) };
}

function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
