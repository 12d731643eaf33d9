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

export interface GatewayOptions {
  args?: readonly string[];
  settings?: object;
}

/** The same for all tests of a file. */
export async function openGateway(
  servers: Record<string, object>,
  options: GatewayOptions = {},
): Promise<Gateway & { close(): Promise<void> }> {
  const closing = Promise.withResolvers<void>();
  const opening = Promise.withResolvers<Gateway>();
  const ended = withGateway(servers, (gateway) => (opening.resolve(gateway), closing.promise), options);
  ended.catch(opening.reject);
  return {
    ...(await opening.promise),
    async close() {
      closing.resolve();
      await ended;
    },
  };
}

/** Runs the program over HTTP with these servers in its configuration file; all is gone when `use` has ended. */
export async function withGateway<T>(
  servers: Record<string, object>,
  use: (gateway: Gateway) => Promise<T>,
  { args = ["--exposure", "direct"], settings = {} }: GatewayOptions = {},
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
