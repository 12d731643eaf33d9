import type { SearchDocument } from "./search.ts";
import type { Token } from "./tokens.ts";

/**
 * What a document is made of, for BM25F: how much a word in it counts, and how much its length takes off that (0: not
 * at all, 1: in proportion). The name is the first; there are at most eight.
 */
export const FIELDS: readonly { name: string; weight: number; b: number; maxChars: number }[] = [
  { name: "name", weight: 3, b: 0.5, maxChars: 200 },
  { name: "server", weight: 3, b: 0.5, maxChars: 200 },
  // First sentence of the description.
  { name: "lead", weight: 1, b: 0.5, maxChars: 200 },
  { name: "description", weight: 0.7, b: 0.6, maxChars: 3_000 },
  { name: "parameters", weight: 0.7, b: 0.8, maxChars: 2_000 },
  { name: "tags", weight: 1, b: 0.3, maxChars: 500 },
  // Of a server: what its tools are called and do.
  { name: "tools", weight: 0.25, b: 0.5, maxChars: 20_000 },
  // Searches that led here.
  { name: "lessons", weight: 0.4, b: 0.5, maxChars: 4_000 },
];
export const NAME = 0;
export const LESSONS = 7;

/** Characters of a tool's description within its server's document. */
const TOOL_CHARS = 80;
const LEAD_CHARS = 200;

/** The words of one field, and how often each is there. */
export interface FieldWords {
  field: number;
  length: number;
  counts: ReadonlyMap<string, number>;
}

export function wordsOf(
  document: SearchDocument,
  lessons: readonly string[],
  tokens: (text: string) => readonly Token[],
): FieldWords[] {
  return textsOf(document, lessons).flatMap((texts, field) => {
    const text = joined(texts, FIELDS[field]?.maxChars ?? 0);
    if (text === "") return [];
    const counts = new Map<string, number>();
    const found = tokens(text);
    for (const { term } of found) counts.set(term, (counts.get(term) ?? 0) + 1);
    return [{ field, length: found.length, counts }];
  });
}

/** In the order of {@link FIELDS}. */
function textsOf(document: SearchDocument, lessons: readonly string[]): (readonly string[])[] {
  const { name, title, server, description = "", parameters, tags, tools } = document;
  const lead = leadOf(description);
  return [
    title === undefined || title === name ? [name] : [name, title],
    server === undefined ? [] : [server],
    [lead],
    [description.slice(lead.length)],
    parameters ?? [],
    tags ?? [],
    tools?.map((tool) => `${tool.name} ${(tool.description ?? "").slice(0, TOOL_CHARS)}`) ?? [],
    lessons,
  ];
}

/** Joins no more than what is looked at. */
function joined(texts: readonly string[], maxChars: number): string {
  if (texts.length === 1) return texts[0]?.slice(0, maxChars) ?? "";
  let whole = "";
  for (const text of texts) {
    if (whole.length >= maxChars) break;
    whole += `${text.slice(0, maxChars - whole.length)}\n`;
  }
  return whole;
}

/** The first sentence, with its end. */
function leadOf(description: string): string {
  const start = description.slice(0, LEAD_CHARS);
  const end = /[.!?](?=\s|$)|[。！？]|\n\s*\n|\n(?=\s*[-*#])/.exec(start);
  return end ? start.slice(0, end.index + 1) : start;
}
