import { isJsonObject, type JsonObject } from "../core/json.ts";
import { choices, expects, valueSchema } from "./expects.ts";
import { LOADER_FLAGS, type Loaded } from "./load.ts";
import { GROUPS, type Leaf, leaves } from "./schema.ts";
import { envNames, flagNames } from "./setting.ts";

/** Everything that people read about settings, made from the one tree. Loaded only when somebody asks. */

/** The settings' part of `--help`. */
export function settingsHelp(width = 100): string {
  const lines: string[] = [];
  for (const [group, members] of grouped()) {
    lines.push("", `${GROUPS[group]}:`);
    for (const leaf of members) {
      const [flag] = flagNames(leaf.setting);
      const value = leaf.setting.form === "switch" ? "" : ` <${placeholder(leaf)}>`;
      const env = envNames(leaf.setting)[0];
      lines.push(`  ${flag}${value}`);
      lines.push(...wrap(`${plain(describe(leaf))}${env ? ` [${env}]` : ""}`, width, "      "));
    }
  }
  return lines.slice(1).join("\n");
}

/**
 * JSON Schema (2020-12) of `dynamic-mcp.json`, for editors.
 *
 * @param mcpServers of the part about other servers, which is not ours to know
 */
export function fileSchema(mcpServers: JsonObject): JsonObject {
  const properties: JsonObject = {};
  for (const [group, members] of grouped()) {
    const inGroup: JsonObject = {};
    for (const leaf of members) {
      const schema: JsonObject = { description: plain(describe(leaf)), ...valueSchema(leaf.setting) };
      if (leaf.setting.default !== undefined) schema["default"] = leaf.setting.default as JsonObject;
      inGroup[leaf.name] = schema;
    }
    properties[group] = {
      type: "object",
      description: GROUPS[group],
      additionalProperties: false,
      properties: inGroup,
    };
  }
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "dynamic-mcp.json",
    description: "Settings of dynamic-mcp, and other servers. Comments and trailing commas are allowed.",
    type: "object",
    additionalProperties: false,
    properties: {
      $schema: { type: "string" },
      settings: { type: "object", additionalProperties: false, properties },
      mcpServers,
    },
  };
}

/** `docs/reference/configuration.md`. */
export function configurationPage(): string {
  const lines = [
    "# Configuration",
    "",
    "Made by `npm run generate` from `src/config`; do not edit.",
    "",
    "A value is taken from the first of these that has it: flag, environment variable, file, default. The file is",
    "`dynamic-mcp.json`, JSON with comments, in the data folder or in the user's configuration folder, or the one that",
    "`dynamic-mcp <file>`, `--config` or `DYNAMIC_MCP_CONFIG` names. It may have other servers alone, as the files of",
    "other programs; what can be said about them is on the page [servers.md](servers.md):",
    "",
    "```jsonc",
    "{",
    '  "$schema": "./dynamic-mcp.schema.json",',
    '  "settings": {',
    '    "http": { "port": 9000 }, // group and name as below',
    "  },",
    '  "mcpServers": {',
    '    "github": { "url": "https://api.githubcopilot.com/mcp/", "headers": { "Authorization": "Bearer ${GITHUB_TOKEN}" } },',
    "  },",
    "}",
    "```",
    "",
    "- Unknown keys and flags are errors, with the nearest known name; unknown `MCP_*` variables are warnings.",
    "- Flags: `--key value` or `--key=value`; a switch alone means true. Switches take 1, true, yes, on, 0, false, no, off.",
    "- Lists are separated by commas; in the file they are arrays. An empty variable counts as not set, except where noted.",
    "- Relative paths start from the current folder, in the file from the folder of the file; `~/` is the home folder.",
    "- `dynamic-mcp config explain` shows each value and where it came from. Secrets are shown as `***`.",
    "",
    "The data folder is `$XDG_DATA_HOME/dynamic-mcp` or `~/.local/share/dynamic-mcp` on Linux,",
    "`~/Library/Application Support/dynamic-mcp` on macOS, `%LOCALAPPDATA%\\dynamic-mcp` on Windows.",
    "",
    "## Where settings are looked for",
    "",
    "| flag | variable | meaning |",
    "| --- | --- | --- |",
    ...LOADER_FLAGS.map(
      (flag) => `| \`${flag.names[0]}\` | ${"env" in flag ? `\`${flag.env}\`` : ""} | ${cell(flag.about)} |`,
    ),
  ];
  for (const [group, members] of grouped()) {
    lines.push("", `## ${GROUPS[group]} (\`${group}\`)`, "");
    lines.push("| name | variable | flag | default | value | meaning |", "| --- | --- | --- | --- | --- | --- |");
    for (const leaf of members) lines.push(row(leaf));
  }
  return `${lines.join("\n")}\n`;
}

/** `.env.example`: everything, commented out. With `production`: what a server for many needs is filled in. */
export function envTemplate(kind: "example" | "production"): string {
  const lines =
    kind === "example"
      ? ["# Settings of dynamic-mcp, all with their defaults. Use with `--dotenv .env`."]
      : [
          "# A server over HTTP. Fill in the empty values. Use with `--dotenv .env`.",
          "# Nobody has to prove who they are yet: keep it on loopback, behind a proxy that lets only yours through.",
        ];
  lines.push("# Made by `npm run generate`; the reference is docs/reference/configuration.md.");
  for (const [group, members] of grouped()) {
    const shown = members.filter(
      ({ setting }) => envNames(setting).length > 0 && (setting.until ?? setting.obsolete) === undefined,
    );
    if (shown.length === 0) continue;
    lines.push("", `# ${GROUPS[group]}`);
    for (const { setting } of shown) {
      const [name] = envNames(setting);
      const filled = kind === "production" && setting.production !== undefined;
      const value = filled ? setting.production : asText(setting.default);
      lines.push(`# ${plain(setting.about)}`, `${filled ? "" : "# "}${name}=${value}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

export interface Explained {
  key: string;
  value: unknown;
  from: string;
  where: string;
}

/** Each value and where it came from; secrets as `***`. */
export function explain({ settings, origins }: Pick<Loaded, "settings" | "origins">): Explained[] {
  return leaves().map(({ key, group, name, setting }) => {
    const value = (settings[group] as Record<string, unknown>)[name];
    const origin = origins.get(key) ?? { from: "default", where: "default" };
    return { key, value: setting.isSecret && value !== undefined ? "***" : (value ?? null), ...origin };
  });
}

function grouped(): [keyof typeof GROUPS, Leaf[]][] {
  return [...Map.groupBy(leaves(), (leaf) => leaf.group)];
}

function row({ name, setting }: Leaf): string {
  const fallback =
    setting.derived?.text ?? (setting.default === undefined ? "" : `\`${asText(setting.default) || "(empty)"}\``);
  const value = `${expects(setting)}${setting.unit ? ` (${setting.unit})` : ""}`;
  const notes = [setting.about];
  if (setting.until) notes.push(`*No effect until ${setting.until}.*`);
  if (setting.obsolete) notes.push(`*No effect: ${setting.obsolete}.*`);
  if (setting.isSecret) notes.push("Secret.");
  if (setting.emptyIsValue) notes.push("An empty variable is an empty list.");
  if (setting.difference) notes.push(`Unlike in older systems: ${setting.difference}`);
  const cells = [`\`${name}\``, code(envNames(setting)), code(flagNames(setting)), fallback, value, notes.join(" ")];
  return `| ${cells.map(cell).join(" | ")} |`;
}

function describe({ setting }: Leaf): string {
  const fallback = setting.derived?.text ?? (setting.default === undefined ? "" : asText(setting.default));
  const facts = [setting.unit, fallback === "" ? undefined : `default: ${fallback}`].filter(Boolean).join(", ");
  const until = setting.until ? ` No effect until ${setting.until}.` : setting.obsolete ? " No effect." : "";
  return `${setting.about}${facts ? ` (${facts})` : ""}${until}`;
}

function placeholder({ setting }: Leaf): string {
  const schema = valueSchema(setting);
  const items = isJsonObject(schema["items"]) ? schema["items"] : schema;
  const words = choices(items).join("|");
  if (words) return setting.form === "list" ? `${words},...` : words;
  if (setting.isPath) return "path";
  if (setting.form === "list") return "a,b";
  return setting.form === "number" ? (setting.unit ?? "n") : "text";
}

function asText(value: unknown): string {
  if (Array.isArray(value)) return value.join(",");
  return typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
}

const code = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");
const cell = (text: string) => text.replaceAll("|", "\\|");
const plain = (text: string) => text.replaceAll("`", "");

/** Breaks a text into lines of at most `width` characters. */
export function wrap(text: string, width: number, indent = ""): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line && indent.length + line.length + 1 + word.length > width) {
      lines.push(indent + line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  if (line) lines.push(indent + line);
  return lines;
}
