import { randomUUID } from "node:crypto";
import type { CallEnd } from "../core/call.ts";
import type { Caller } from "../core/caller.ts";
import { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { ToolResult } from "../core/item.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { dataOfResult } from "../core/results.ts";
import type { CallIo } from "../core/source.ts";
import { VERSION } from "../core/version.ts";
import type { CommandContext } from "./command.ts";
import { words } from "./print.ts";

/** Whoever can run this program on the store is its operator. */
export const OPERATOR: Caller = {
  principal: { id: "local", kind: "local", isAdmin: true },
  client: { name: "dynamic-mcp-cli", version: VERSION },
};

/** A command line answers no questions; what a tool logs goes to stderr. */
function commandLineIo(context: CommandContext): CallIo {
  return {
    can: { elicitForm: false, elicitUrl: false, sampling: false, roots: false },
    async ask(asks) {
      const methods = [...new Set(Object.values(asks).map((ask) => ask.method))].join(", ");
      throw new DynamicMcpError("CAPABILITY_MISSING", `this tool asks its client (${methods}), which the command line cannot answer; call it from an MCP client`); // prettier-ignore
    },
    progress() {},
    log(level, data) {
      context.terminal.err(`${level}: ${typeof data === "string" ? data : JSON.stringify(data)}`);
    },
  };
}

/** Walks the line as the operator. A request to stop cancels the call. */
export async function callAsOperator(
  context: CommandContext,
  name: string,
  args: JsonObject,
): Promise<CallEnd<ToolResult>> {
  const app = await context.app();
  const deadline = new Deadline(app.settings.tools.callTimeoutMs);
  void context.stopped.then(() => deadline.end("client"));
  try {
    return await app.calls.call({
      wanted: { kind: "tool", name, args },
      caller: OPERATOR,
      io: commandLineIo(context),
      deadline,
      consumer: "program",
      requestId: randomUUID(),
    });
  } finally {
    deadline.close();
  }
}

/**
 * Runs one of our own operations; verbs are its other face.
 *
 * @returns what it says, in words and structured
 * @throws DynamicMcpError when it failed, with the code that it ended with
 */
export async function operate(
  context: CommandContext,
  name: string,
  args: JsonObject,
): Promise<{ text: string; data: JsonObject }> {
  const end = await callAsOperator(context, name, args);
  if (end.state === "paused")
    throw new DynamicMcpError("CAPABILITY_MISSING", `${name} asks questions; call it from an MCP client`);
  if (end.state === "failed")
    throw new DynamicMcpError(end.code, textOf(end.result), { data: dataOfResult(end.result) });
  const { structuredContent } = end.result;
  return { text: textOf(end.result), data: isJsonObject(structuredContent) ? structuredContent : {} };
}

export function textOf(result: ToolResult): string {
  return result.content.map((each) => (each.type === "text" ? words(each["text"]) : `[${each.type}]`)).join("\n");
}
