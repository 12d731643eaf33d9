import type { Fleet } from "../fleet/fleet.ts";
import type { ToolItem } from "../core/item.ts";
import type { JsonObject } from "../core/json.ts";
import type { Named } from "../surface/surface.ts";
import { firstSentence } from "./one-line.ts";
import { signatureOf } from "./signature.ts";

/** How much of each tool is told. */
export const DETAILS = ["names", "signatures", "schemas"] as const;
export type Detail = (typeof DETAILS)[number];

/** An answer about tools is cut at about 10,000 tokens: who wants more asks for less at once. */
export const MAX_ANSWER_CHARS = 40_000;

/** One tool on one line: what it takes, and what it does. */
export function signatureLine(named: Named<"tool">, fleet: Pick<Fleet, "server">, name = named.name): string {
  const { inputSchema, description = "" } = named.load();
  return `${signatureOf(name, inputSchema)}${about(description)}${note(named, fleet)}`;
}

export function nameLine(named: Named<"tool">, fleet: Pick<Fleet, "server">, name = named.name): string {
  return `${name}${about(named.load().description ?? "", 60)}${note(named, fleet)}`;
}

function about(description: string, chars?: number): string {
  const text = firstSentence(description, chars);
  return text === "" ? "" : ` // ${text}`;
}

/** Where it is when the name does not say, and whether that can be reached. */
function note({ name, listing: { group } }: Named<"tool">, fleet: Pick<Fleet, "server">): string {
  if (group === undefined) return "";
  const status = fleet.server(group)?.status;
  const notes = [
    ...(name.startsWith(group) ? [] : [group]),
    ...(status === "down" || status === "login" ? [status] : []),
  ];
  return notes.length === 0 ? "" : ` [${notes.join(", ")}]`;
}

/** A tool with all it takes, as its list has it. */
export function schemasOf(item: ToolItem, name: string): JsonObject {
  const { $schema: _dialect, ...inputSchema } = item.inputSchema;
  return { name, ...(item.description !== undefined && { description: item.description }), inputSchema };
}

/** Lines until the answer is full. @returns how many there was no room for */
export function fill(lines: Iterable<string>, total: number, maxChars = MAX_ANSWER_CHARS) {
  const shown: string[] = [];
  let chars = 0;
  for (const line of lines) {
    chars += line.length + 1;
    if (chars > maxChars && shown.length > 0) break;
    shown.push(line);
  }
  return { shown, left: total - shown.length };
}
