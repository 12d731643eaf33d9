import { writeFile } from "node:fs/promises";
import path from "node:path";
import { startProgram, withTemporaryFolder, type Program } from "../support/program.ts";

export interface Gateway {
  program: Program;
  /** Of its MCP endpoint. */
  url: string;
  folder: string;
  configFile: string;
  /** Replaces the servers of its configuration file. */
  rewrite(servers: object): Promise<void>;
}

/** Runs the program over HTTP with these servers in its configuration file; all is gone when `use` has ended. */
export async function withGateway<T>(
  servers: object,
  use: (gateway: Gateway) => Promise<T>,
  { args = ["--exposure", "direct"], settings = {} }: { args?: readonly string[]; settings?: object } = {},
): Promise<T> {
  return withTemporaryFolder(async (folder) => {
    const configFile = path.join(folder, "dynamic-mcp.json");
    const rewrite = (mcpServers: object) => writeFile(configFile, JSON.stringify({ settings, mcpServers }, null, 2));
    await rewrite(servers);
    const program = await startProgram(["--config", configFile, "--data-dir", folder, ...args]);
    try {
      return await use({ program, url: program.url, folder, configFile, rewrite });
    } finally {
      await program.stop();
    }
  });
}
