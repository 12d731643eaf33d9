import { isJsonObject, type JsonObject } from "../core/json.ts";
import { FIELDS, FOREIGN, OTHER_WORDS, SERVER } from "./read-definition-fields.ts";

const FOREIGN_ABOUT = "Of other programs; no effect here.";

/** JSON Schema (2020-12) of the part `mcpServers` of a configuration file, for editors. */
export function serversSchema(): JsonObject {
  const { properties } = SERVER.schema;
  const others = Object.entries(OTHER_WORDS).map(([key, word]) => [
    key,
    { description: `Other programs' word for ${word === "allow" || word === "deny" ? `tools.${word}` : word}.` },
  ]);
  return {
    type: "object",
    description:
      "Other MCP servers, by name. `${VAR}`, `${VAR:-default}` and `${file:path}` are replaced in every text.",
    additionalProperties: {
      type: "object",
      properties: { ...(properties as JsonObject), ...(Object.fromEntries(others) as JsonObject) },
      patternProperties: {
        "^(_|//|#)": {},
        [`^(oauth.*|auth|envFile|${FOREIGN.join("|").replaceAll("$", String.raw`\$`)})$`]: {
          description: FOREIGN_ABOUT,
        },
      },
      additionalProperties: false,
    },
  };
}

/** `docs/reference/servers.md`. */
export function serversPage(): string {
  const rows = Object.entries(FIELDS).flatMap(([key, { kind, about }]) => [
    row(key, about),
    ...parts(kind.schema).map(([part, text]) => row(`${key}.${part}`, text)),
  ]);
  return `# Other servers

Made by \`npm run generate\` from \`src/fleet\`; do not edit.

Other MCP servers come from the part \`mcpServers\` of the configuration file, as every program writes it, from
\`dynamic-mcp add\`, and from those that an operator attaches while a server runs. Of two with one name, the one of the
file wins, then the one that was added.

\`\`\`jsonc
{
  "mcpServers": {
    "files": { "command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "\${HOME}/Documents"] },
    "github": {
      "url": "https://api.githubcopilot.com/mcp/",
      "headers": { "Authorization": "Bearer \${GITHUB_TOKEN}" },
      "tools": { "deny": ["delete_*"] },
    },
    "own": { "command": "./server.js", "env": { "KEY": "\${file:/run/secrets/key}" }, "timeout": { "tools": "2min" } },
  },
}
\`\`\`

A server with a problem is listed with it and does nothing; it keeps neither the others nor the program from working.
The file is watched: servers come, change and go while the program runs, and those that have not changed go on. A file
that cannot be read is told in the log, and what it said before stays. Settings count from the next start on.

## Variables

In every text:

| text | becomes |
| --- | --- |
| \`\${VAR}\`, \`\${env:VAR}\` | the variable of our environment; one that is not set is a problem of that server |
| \`\${VAR:-text}\` | the variable, or \`text\` when it is not set or empty; \`text\` may have variables itself |
| \`\${file:path}\` | what a file of at most 64 KiB holds, without one line end; relative to the folder of the configuration file |
| \`\${userHome}\` | the home folder |
| \`$\${\` | \`\${\` as it is |

Everything else with a dollar stays as it is. What variables and files give for \`env\` and \`headers\`, and literals under
names such as \`API_KEY\`, does not show in answers and logs.

## Fields

| field | meaning |
| --- | --- |
${rows.join("\n")}

Also read, as other programs write them: ${Object.keys(OTHER_WORDS)
    .map((key) => `\`${key}\``)
    .join(", ")}.
Keys of other programs without a meaning here, such as \`alwaysAllow\`, \`icon\` or \`_comment\`, have no effect; those of
OAuth are not used yet, which is said at start. Other unknown keys are a problem of that server, with the nearest name.
`;
}

const row = (name: string, about: string) => `| \`${name}\` | ${about.replaceAll("|", "\\|")} |`;

/** Of a field that is an object with fields of its own. */
function parts(schema: JsonObject): [string, string][] {
  const { properties, anyOf } = schema;
  const inOne = isJsonObject(properties)
    ? Object.entries(properties).map(([key, part]): [string, string] => [key, isJsonObject(part) && typeof part["description"] === "string" ? part["description"] : ""]) // prettier-ignore
    : [];
  const inOthers = Array.isArray(anyOf) ? anyOf.flatMap((each) => (isJsonObject(each) ? parts(each) : [])) : [];
  return [...inOne, ...inOthers];
}
