import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ListRootsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, it, vi } from "vitest";
import { withTemporaryFolder } from "../support/program.ts";
import { npmServers } from "../support/real-servers.ts";
import { withGateway } from "./open-gateway.ts";

const npm = await npmServers();

interface RootClient {
  /** Reads a file through the gateway. @returns its text, or why not */
  read(file: string): Promise<string>;
  /** From now on this folder is its only root, and it says so. */
  moveTo(folder: string): Promise<void>;
  close(): Promise<void>;
}

/** All clients call themselves the same, as windows of one editor do. */
const INFO = { name: "editor", version: "1.0.0" };
const rootsIn = (folder: string) => ({ roots: [{ uri: pathToFileURL(folder).href, name: "root" }] });
const textOf = (result: unknown) => JSON.stringify((result as { content: unknown }).content);
const reading = (file: string) => ({ name: "files__read_text_file", arguments: { path: file } });

async function openOlder(url: string, folder: string): Promise<RootClient> {
  let root = folder;
  const client = new ClientV1(INFO, { capabilities: { roots: { listChanged: true } } });
  client.setRequestHandler(ListRootsRequestSchema, async () => rootsIn(root));
  const transport = new HttpV1(new URL(url));
  await client.connect(transport);
  return {
    read: async (file) => textOf(await client.callTool(reading(file))),
    async moveTo(next) {
      root = next;
      await client.sendRootsListChanged();
    },
    async close() {
      await transport.terminateSession();
      await client.close();
    },
  };
}

async function openNewer(url: string, folder: string): Promise<RootClient> {
  let root = folder;
  const client = new ClientV2(INFO, {
    capabilities: { roots: {} },
    versionNegotiation: { mode: { pin: "2026-07-28" } },
  });
  client.setRequestHandler("roots/list", async () => rootsIn(root));
  await client.connect(new HttpV2(new URL(url)));
  return {
    read: async (file) => textOf(await client.callTool(reading(file))),
    async moveTo(next) {
      root = next;
    },
    close: () => client.close(),
  };
}

describe.skipIf(!npm)("server-filesystem, which works in the roots of its client", () => {
  it.each([
    ["of the older era", openOlder],
    ["of 2026-07-28", openNewer],
  ])("lets no client %s work in those of another", (_era, open) =>
    withTemporaryFolder(async (folder) => {
      const at = (name: string) => path.join(folder, name, "hello.txt");
      for (const name of ["neither", "one", "two"]) {
        await mkdir(path.join(folder, name));
        await writeFile(at(name), `hello from ${name}`);
      }
      const neither = path.join(folder, "neither");
      await withGateway({ files: npm?.filesystem(neither) ?? {} }, async ({ url }) => {
        const clients = [await open(url, path.join(folder, "one")), await open(url, path.join(folder, "two"))];
        const [one, two] = clients as [RootClient, RootClient];
        try {
          await vi.waitFor(async () => expect(await one.read(at("one"))).toContain("hello from one"), 10_000);
          for (let round = 0; round < 2; round++) {
            const all = await Promise.all([one, two].flatMap((each) => [each.read(at("one")), each.read(at("two"))]));
            expect(all).toEqual([
              expect.stringContaining("hello from one"),
              expect.stringContaining("Access denied"),
              expect.stringContaining("Access denied"),
              expect.stringContaining("hello from two"),
            ]);
          }
          await one.moveTo(neither);
          await vi.waitFor(async () => expect(await one.read(at("neither"))).toContain("hello from neither"), 10_000);
          expect(await one.read(at("one"))).toContain("Access denied");
          expect(await two.read(at("two"))).toContain("hello from two");
        } finally {
          for (const client of clients) await client.close();
        }
      });
    }),
  );
});
