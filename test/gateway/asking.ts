import { expect, vi } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { openSession } from "../support/http.ts";

export interface Answer {
  /** The texts of a tool's result, or the message of an error. */
  text: string;
  isError: boolean;
  /** Ours where there is one, else the number of the error. */
  code: unknown;
  result: JsonObject;
}

export type Session = Awaited<ReturnType<typeof openAsking>>;

/** A client of 2025-11-25 that has initialized, over HTTP, with nothing between the test and the wire. */
export async function openAsking(url: string, capabilities: JsonObject = {}) {
  const session = await openSession(url, { capabilities });
  await session.post({ jsonrpc: "2.0", method: "notifications/initialized" });
  const ask = async (method: string, params: JsonObject = {}, id?: string | number) =>
    answerOf((await session.ask(method, params, id)).body);
  return {
    ...session,
    ask,
    call: (name: string, args: JsonObject = {}, id?: string | number) =>
      ask("tools/call", { name, arguments: args }, id),
    async names() {
      const { result } = await ask("tools/list");
      return (result["tools"] as JsonObject[]).map(({ name }) => name as string);
    },
    async tools() {
      return (await ask("tools/list")).result["tools"] as JsonObject[];
    },
  };
}

export function answerOf(body: JsonObject): Answer {
  const result = (body["result"] ?? {}) as JsonObject;
  const error = body["error"] as JsonObject | undefined;
  if (error) {
    const data = error["data"] as JsonObject | undefined;
    return { text: String(error["message"]), isError: true, code: data?.["code"] ?? error["code"], result };
  }
  const content = (result["content"] ?? []) as { text?: string }[];
  const meta = result["_meta"] as Record<string, JsonObject> | undefined;
  return {
    text: content.map(({ text }) => text ?? "").join("\n"),
    isError: result["isError"] === true,
    code: meta?.["dynamic-mcp/error"]?.["code"],
    result,
  };
}

/** Waits until a list has these names, whatever else it has. */
export async function untilListed({ names }: Pick<Session, "names">, ...wanted: string[]): Promise<void> {
  await vi.waitFor(async () => expect(await names()).toEqual(expect.arrayContaining(wanted)), WAIT);
}

/** Also in hooks, where `expect.poll` does not work. */
const WAIT = { timeout: 10_000, interval: 30 };
