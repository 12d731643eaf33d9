import { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError, ERRORS } from "../../core/errors.ts";
import { argument, type Command, type CommandContext, JSON_FLAG } from "../command.ts";
import { foundIn } from "../describe-server.ts";
import { json } from "../print.ts";
import { assertUsable, typedServer } from "../typed-server.ts";

/** For a program that is downloaded first. */
const CHECK_MS = 180_000;

export const add: Command = {
  name: "add",
  summary: "Add another MCP server: a program to start, or one at a URL.",
  details:
    "It is kept in the store, where every server that runs on it takes it up at once, and tried: what it offers is printed, or why it does not work. " +
    "It is kept either way; the exit code says whether it works. A definition that could never work is refused. Put `--` before the command, so that its flags are its own. " +
    "`${VAR}`, `${VAR:-default}` and `${file:path}` are kept as they are typed and replaced where it runs; quote them from your shell with single quotes.",
  args: [
    { name: "name", about: "What to call it; its tools are listed as `<name>__<tool>`." },
    { name: "target", about: "A command with its arguments, a URL, or a definition as JSON.", isOptional: true, repeats: true }, // prettier-ignore
  ],
  flags: [
    { names: ["--url"], form: "value", value: "url", about: "Where it is, if it runs elsewhere." },
    { names: ["-e", "--env"], form: "value", value: "NAME=value", about: "A variable that it sees; may be repeated." },
    { names: ["-H", "--header"], form: "value", value: "Name: value", about: "A header of each request to it; may be repeated." }, // prettier-ignore
    { names: ["--type", "-t", "--transport"], form: "value", value: "stdio|http|sse", about: "How to talk to it; found out when absent." }, // prettier-ignore
    { names: ["--description"], form: "value", value: "text", about: "What it is good for." },
    { names: ["--cwd"], form: "value", value: "folder", about: "Folder that it runs in." },
    { names: ["--force"], form: "switch", about: "Replace a server of this name." },
    { names: ["--no-check"], form: "switch", about: "Do not try it." },
    { names: ["-s", "--scope"], form: "value", value: "scope", about: "Accepted for the habit; there is one store." },
    JSON_FLAG,
  ],
  examples: [
    "add files -- npx -y @modelcontextprotocol/server-filesystem ~/Documents",
    "add github --url https://api.githubcopilot.com/mcp/ -H 'Authorization: Bearer ${GITHUB_TOKEN}'",
    "add search -e 'API_KEY=${SEARCH_KEY}' -- uvx mcp-server-search --verbose",
    "add --transport http docs https://mcp.example.com/mcp",
  ],
  unknownFlagHint:
    "(flags of the server's own command stand behind --: `dynamic-mcp add <name> -- <command> <arguments>`)",
  async handler(context) {
    const name = argument(context, "name");
    const definition = typedServer(context);
    const place = context.loaded.ambient.servers?.places.get(name);
    if (place !== undefined) throw new DynamicMcpError("NAME_TAKEN", `${name} is a server of ${place}, which wins; change it there, or choose another name`, { data: { name, place } }); // prettier-ignore
    assertUsable(context, name, definition);
    const app = await context.app();
    const done = await app.servers.put(name, definition, { replace: context.has("--force") });
    if (context.has("--no-check")) {
      if (context.isJson) context.terminal.out(json({ name, done }));
      else context.terminal.err(`${done === "added" ? "Added" : "Replaced"} ${name}.`);
      return 0;
    }
    return await tryOut(context, name, done);
  },
};

async function tryOut(context: CommandContext, name: string, done: "added" | "replaced"): Promise<number> {
  const app = await context.app();
  if (!context.isJson) context.terminal.err(`${done === "added" ? "Added" : "Replaced"} ${name}; trying it ...`);
  const deadline = new Deadline(CHECK_MS);
  void context.stopped.then(() => deadline.end("client"));
  try {
    const state = await app.fleet.restart(name, deadline);
    if (context.isJson) context.terminal.out(json({ name, done, works: true, server: state }));
    else context.terminal.out(`${name} works: ${foundIn(state)}`);
    return 0;
  } catch (error) {
    if (!(error instanceof DynamicMcpError)) throw error;
    const { code, message } = error;
    if (context.isJson) context.terminal.out(json({ name, done, works: false, error: { code, message } }));
    else context.terminal.err(`${name} is kept, and does not work: ${message}`);
    return ERRORS[code].exit;
  } finally {
    deadline.close();
  }
}
