import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { allCommands } from "../src/cli/commands.ts";
import { cliPage, errorsPage } from "../src/cli/reference.ts";
import { makeListed } from "../src/operations/listed.ts";
import { toolsPage } from "../src/operations/reference.ts";
import { configurationPage, envTemplate, fileSchema } from "../src/config/render.ts";
import { serversPage, serversSchema } from "../src/fleet/read-definition-schema.ts";

/**
 * Every file that is made from the source, as it has to be committed; formatted as the rest of the repository.
 *
 * @param root folder of the repository, with a slash at its end
 * @returns paths below `root`, with what the files hold
 */
export async function generated(root: string): Promise<Map<string, string>> {
  const commands = allCommands({ execPath: "node", entry: "dist/main.js" });
  const listed = await makeListed();
  const files: Record<string, string> = {
    "docs/reference/configuration.md": configurationPage(),
    "docs/reference/dynamic-mcp.schema.json": JSON.stringify(fileSchema(serversSchema())),
    "docs/reference/servers.md": serversPage(),
    "docs/reference/cli.md": cliPage(commands),
    "docs/reference/errors.md": errorsPage(),
    "docs/reference/tools.md": toolsPage(listed),
    "src/operations/listed.json": JSON.stringify(listed),
    ".env.example": envTemplate("example"),
    ".env.prod.example": envTemplate("production"),
  };
  const made = new Map<string, string>();
  for (const [path, text] of Object.entries(files)) {
    const filepath = join(root, path);
    const isFormatted = /\.(md|json)$/.test(path);
    made.set(path, isFormatted ? await format(text, { ...(await resolveConfig(filepath)), filepath }) : text);
  }
  return made;
}
