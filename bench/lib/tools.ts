/** The main job as the load generator needs it: make a tool, delete it. */
import type { Client } from "./mcp-client.ts";

const TEXT_SCHEMA = { type: "object", properties: { text: { type: "string" } }, required: ["text"] };

export async function createTool(client: Client, name: string, code: string): Promise<void> {
  const description = `Made by the bench. It stands for a tool with a description of usual length, ${name}.`;
  const tool = { name, description, inputSchema: TEXT_SCHEMA, code };
  await expectDone(client.request("tools/call", { name: "dynamic_tool_create", arguments: { tool } }));
}

export async function deleteTool(client: Client, name: string): Promise<void> {
  await expectDone(client.request("tools/call", { name: "dynamic_tool_delete", arguments: { name } }));
}

async function expectDone(call: ReturnType<Client["request"]>): Promise<void> {
  const result = await call;
  if (result["isError"] === true) throw new Error(`refused: ${JSON.stringify(result["content"]).slice(0, 500)}`);
}
