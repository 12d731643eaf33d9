import { readFileSync } from "node:fs";
import path from "node:path";
import type { SearchDocument } from "../../src/search/search.ts";
import type { Groups } from "./scores.ts";

export interface Query {
  id: string;
  kind: string;
  query: string;
  groups: Groups;
}

export interface Corpora {
  livemcp: SearchDocument[];
  wide: SearchDocument[];
  toole: SearchDocument[];
  servers: SearchDocument[];
  usage: { query: string; tool: string }[];
  queries: { livemcp: Query[]; toole: Query[]; servers: Query[] };
}

interface ToolRow {
  id: string;
  server: string;
  serverDescription: string;
  name: string;
  description: string;
  inputSchema: { properties?: Record<string, { description?: string }> };
}

interface ServerRow {
  id: string;
  name: string;
  title: string;
  description: string;
  category: string;
  tags: string[];
}

/** @throws when a file is missing */
export function readCorpora(folder: string): Corpora {
  const read = <T>(...names: string[]) =>
    readFileSync(path.join(folder, ...names), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as T);
  const tools = read<ToolRow>("livemcp", "corpus.jsonl");
  const livemcp = tools.map(toolDocument);
  return {
    livemcp,
    wide: [...livemcp, ...read<ToolRow>("livemcp-wide", "distractors.jsonl").map(toolDocument)],
    toole: read<ToolRow>("toole", "corpus.jsonl").map(toolDocument),
    servers: read<ServerRow>("servers", "corpus.jsonl").map((row) => serverDocument(row, tools)),
    usage: read("toole", "usage.train.jsonl"),
    queries: {
      livemcp: read("livemcp", "queries.dev.jsonl"),
      toole: read("toole", "queries.dev.jsonl"),
      servers: read("servers", "queries.dev.jsonl"),
    },
  };
}

function toolDocument({ id, server, serverDescription, name, description, inputSchema }: ToolRow): SearchDocument {
  const parameters = Object.entries(inputSchema.properties ?? {}).map(
    ([parameter, schema]) => `${parameter} ${schema.description ?? ""}`,
  );
  return { key: id, name, description, parameters, ...(server !== "" && { server, serverDescription }) };
}

/** A server we have asked (`live/`) is known with its tools, others by what their catalog says. */
function serverDocument(row: ServerRow, tools: readonly ToolRow[]): SearchDocument {
  const { id, name, title, description, category, tags } = row;
  const own = id === `live/${name}` ? tools.filter(({ server }) => server === name) : [];
  return { key: id, name, title, description, tags: [category, ...tags], tools: own };
}
