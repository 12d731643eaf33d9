/** How this program was started, for clients that start it themselves. */
export interface Program {
  /** Node. */
  execPath: string;
  /** The file that Node ran. */
  entry: string;
}

export interface Recipe {
  client: string;
  /** What to run, or what to put into which file. */
  how: string;
}

/**
 * How the common clients are told about a server that listens.
 *
 * @param args what a client that starts the program itself has to add, so that it works on the same tools
 * @see the clients' own documentation of `claude mcp add`, `codex mcp add`, `code --add-mcp`, `~/.cursor/mcp.json`,
 *   `claude_desktop_config.json` (the last one starts programs only)
 */
export function connectRecipes(url: string, program: Program, args: readonly string[]): Recipe[] {
  const started = { command: program.execPath, args: [program.entry, ...args] };
  return [
    { client: "Claude Code", how: `claude mcp add --transport http dynamic-mcp ${url}` },
    { client: "Codex", how: `codex mcp add dynamic-mcp --url ${url}` },
    { client: "VS Code", how: `code --add-mcp '${JSON.stringify({ name: "dynamic-mcp", type: "http", url })}'` },
    { client: "Cursor", how: `~/.cursor/mcp.json: ${servers({ url })}` },
    { client: "Claude Desktop", how: `claude_desktop_config.json: ${servers(started)}` },
  ];
}

function servers(one: object): string {
  return JSON.stringify({ mcpServers: { "dynamic-mcp": one } });
}
