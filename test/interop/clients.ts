import { Client as ClientV2, StreamableHTTPClientTransport as HttpV2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioV2 } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";

/** What the tests need of a client, whichever SDK and transport is behind it. */
export interface TestClient {
  era: "legacy" | "modern";
  instructions(): string | undefined;
  listTools(cursor?: string): Promise<{ tools: Listed[]; nextCursor?: string | undefined }>;
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<Result>;
  getPrompt(name: string, args?: Record<string, string>): Promise<{ messages: unknown[] }>;
  readResource(uri: string): Promise<{ contents: unknown[] }>;
  complete(prompt: string, argument: string, value: string): Promise<string[]>;
  /** Starts to listen to one resource. */
  subscribe(uri: string): Promise<void>;
  heard: Heard;
  close(): Promise<void>;
}

export interface Heard {
  toolsChanged: number;
  updated: string[];
  logged: unknown[];
}

interface Listed {
  name: string;
  outputSchema?: unknown;
}
interface CallOptions {
  signal?: AbortSignal;
  onprogress?: (progress: { progress: number; total?: number | undefined }) => void;
}
export interface Result {
  content: { type: string; text?: string }[];
  structuredContent?: unknown;
  isError?: boolean | undefined;
}

export const ROOTS = [{ uri: "file:///nowhere/work", name: "work" }];
const INFO = { name: "interop-test", version: "1.0.0" };
const CAPABILITIES = { elicitation: { form: {} }, sampling: {}, roots: { listChanged: false } };
const accept = async () => ({
  action: "accept" as const,
  content: { name: "Ada", color: "blue", username: "ada", email: "a@b.c" },
});
const sample = async () => ({
  role: "assistant" as const,
  model: "test",
  content: { type: "text" as const, text: "Paris" },
});

const STDIO = {
  command: process.execPath,
  args: ["--disable-warning=ExperimentalWarning", new URL("serve-stdio.ts", import.meta.url).pathname],
};

/** "stdio" is a server of these tests; a command, any other. */
export type Where = { url: string } | { command: string; args: string[]; env?: Record<string, string> } | "stdio";

export async function connectV1(where: Where): Promise<TestClient> {
  const client = new ClientV1(INFO, { capabilities: CAPABILITIES });
  const heard: Heard = { toolsChanged: 0, updated: [], logged: [] };
  client.setRequestHandler(ElicitRequestSchema, accept);
  client.setRequestHandler(CreateMessageRequestSchema, sample);
  client.setRequestHandler(ListRootsRequestSchema, async () => ({ roots: ROOTS }));
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => void heard.toolsChanged++);
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.updated.push(params.uri));
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void heard.logged.push(params.data));
  const transport =
    where === "stdio"
      ? new StdioV1(STDIO)
      : "url" in where
        ? new HttpV1(new URL(where.url))
        : new StdioV1({ ...where, stderr: "ignore" });
  await client.connect(transport);
  return {
    era: "legacy",
    heard,
    instructions: () => client.getInstructions(),
    listTools: (cursor) => client.listTools(cursor === undefined ? {} : { cursor }),
    call: async (name, args = {}, options = {}) =>
      (await client.callTool({ name, arguments: args }, undefined, options)) as Result,
    getPrompt: (name, args = {}) => client.getPrompt({ name, arguments: args }),
    readResource: (uri) => client.readResource({ uri }),
    complete: async (prompt, argument, value) =>
      (await client.complete({ ref: { type: "ref/prompt", name: prompt }, argument: { name: argument, value } }))
        .completion.values,
    subscribe: async (uri) => void (await client.subscribeResource({ uri })),
    async close() {
      if (transport instanceof HttpV1) await transport.terminateSession();
      await client.close();
    },
  };
}

export async function connectV2(where: Where, era: "legacy" | "modern"): Promise<TestClient> {
  const heard: Heard = { toolsChanged: 0, updated: [], logged: [] };
  const client = new ClientV2(INFO, {
    capabilities: CAPABILITIES,
    versionNegotiation: { mode: era === "modern" ? { pin: "2026-07-28" } : "legacy" },
  });
  client.setRequestHandler("elicitation/create", accept);
  client.setRequestHandler("sampling/createMessage", sample);
  client.setRequestHandler("roots/list", async () => ({ roots: ROOTS }));
  client.setNotificationHandler("notifications/tools/list_changed", () => void heard.toolsChanged++);
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => void heard.updated.push(params.uri));
  client.setNotificationHandler("notifications/message", ({ params }) => void heard.logged.push(params.data));
  const transport =
    where === "stdio"
      ? new StdioV2(STDIO)
      : "url" in where
        ? new HttpV2(new URL(where.url))
        : new StdioV2({ ...where, stderr: "ignore" });
  await client.connect(transport);
  const changes = era === "modern" ? await client.listen({ toolsListChanged: true }) : undefined;
  return {
    era,
    heard,
    instructions: () => client.getInstructions(),
    listTools: async (cursor) =>
      client.request({ method: "tools/list", params: cursor === undefined ? {} : { cursor } }),
    call: async (name, args = {}, options = {}) => client.callTool({ name, arguments: args }, options),
    getPrompt: (name, args = {}) => client.getPrompt({ name, arguments: args }),
    readResource: (uri) => client.readResource({ uri }),
    complete: async (prompt, argument, value) =>
      (await client.complete({ ref: { type: "ref/prompt", name: prompt }, argument: { name: argument, value } }))
        .completion.values,
    async subscribe(uri) {
      if (era === "modern") await client.listen({ resourceSubscriptions: [uri] });
      else await client.subscribeResource({ uri });
    },
    async close() {
      await changes?.close();
      if (transport instanceof HttpV2) await transport.terminateSession();
      await client.close();
    },
  };
}
