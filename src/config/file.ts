import { parseTree, printParseErrorCode, type Node, type ParseError } from "jsonc-parser";
import type { JsonObject } from "../core/json.ts";
import { nearest } from "../core/names.ts";
import type { ConfigProblem, Given } from "./origin.ts";
import type { Leaf } from "./schema.ts";

export interface ConfigFile {
  given: Given[];
  problems: ConfigProblem[];
  /** As it is written; checked for being an object only. */
  mcpServers: JsonObject;
  /** Where each of them is: `file:line:column`. */
  places: Map<string, string>;
  /** What is worth a word, and no reason to refuse the file. */
  remarks: string[];
}

const OURS = ["settings", "mcpServers", "$schema"];

/**
 * Reads `dynamic-mcp.json`: JSON with comments and trailing commas, `{ "$schema"?, "settings"?, "mcpServers"? }`.
 * Unknown keys and keys that appear twice are problems; each is named with its line and column, from 1. Of servers with
 * one name the last is taken, as every other program does. Beside `mcpServers`, keys of the program whose file it is are
 * let through; `servers`, where there is no `mcpServers`, is VS Code's word for it.
 *
 * @param text the file
 * @param path shown in problems, and what relative paths in it start from
 */
export function readConfigFile(text: string, path: string, folder: string, leaves: readonly Leaf[]): ConfigFile {
  const found: ConfigFile = { given: [], problems: [], mcpServers: {}, places: new Map(), remarks: [] };
  const source = text.charCodeAt(0) === 0xfeff ? ` ${text.slice(1)}` : text;
  const where = placesIn(source, path);
  const foreign: string[] = [];
  const problem = (offset: number, message: string) => {
    const one = { where: where(offset), message };
    // Each object that is left open is an error of the reader's, at the same end of the file.
    const isKnown = found.problems.some((other) => other.where === one.where && other.message === message);
    if (!isKnown) found.problems.push(one);
  };

  if (source.slice(0, 100).includes("\0")) {
    problem(0, "not a text in UTF-8; save it as UTF-8");
    return found;
  }
  const errors: ParseError[] = [];
  const root = parseTree(source, errors, { allowTrailingComma: true });
  for (const error of errors.slice(0, 5))
    problem(error.offset, `not JSON: ${spaced(printParseErrorCode(error.error))}`);
  if (errors.length > 0) return found;
  if (root?.type !== "object") {
    problem(0, 'expected an object such as { "settings": {} }');
    return found;
  }

  const names = new Set((root.children ?? []).map((member) => String(member.children?.[0]?.value)));
  const serversName = names.has("mcpServers") || !names.has("servers") ? "mcpServers" : "servers";
  const byGroup = Map.groupBy(leaves, (leaf) => leaf.group as string);
  for (const [name, key, value] of members(root, problem)) {
    if (name === "settings") {
      if (!isObject(value, problem)) continue;
      for (const [group, groupKey, groupValue] of members(value, problem)) {
        const known = byGroup.get(group);
        if (!known) problem(groupKey.offset, unknownGroup(group, [...byGroup.keys()], leaves));
        else if (isObject(groupValue, problem)) readGroup(group, known, groupValue);
      }
    } else if (name === serversName) {
      if (isObject(value, problem)) readServers(value);
    } else if (name !== "$schema" && !COMMENT.test(name)) {
      const isOursMisplaced = byGroup.has(name) || leaves.some((leaf) => leaf.name === name);
      if (isOursMisplaced) problem(key.offset, `${JSON.stringify(name)} belongs into { "settings": ... }`);
      else if (names.has(serversName) && nearest(name, OURS) === undefined) foreign.push(name);
      else problem(key.offset, unknown("key", name, OURS));
    }
  }
  if (foreign.length > 0) found.remarks.push(`${path}: no meaning here have ${foreign.slice(0, 10).map((name) => JSON.stringify(name.slice(0, 60))).join(", ")}`); // prettier-ignore
  return found;

  function readServers(node: Node): void {
    found.mcpServers = valueOf(node) as JsonObject;
    for (const member of node.children ?? []) {
      const key = member.children?.[0];
      const name = String(key?.value);
      const place = where(key?.offset ?? node.offset);
      if (found.places.has(name)) found.remarks.push(`${place}: the server ${JSON.stringify(name)} appears twice; this one is taken`); // prettier-ignore
      found.places.set(name, place);
    }
  }

  function readGroup(group: string, known: readonly Leaf[], node: Node): void {
    for (const [name, key, value] of members(node, problem)) {
      const leaf = known.find((each) => each.name === name);
      if (!leaf) {
        problem(key.offset, unknown(`setting of ${JSON.stringify(group)}`, name, known.map((each) => each.name))); // prettier-ignore
        continue;
      }
      const origin = { from: "file", where: where(value.offset) } as const;
      found.given.push({ leaf, origin, value: { json: valueOf(value) }, base: folder });
    }
  }
}

/** JSON has none, so people write members that are. */
const COMMENT = /^(_comment|\/\/|#)/;

/** @returns a function that says `path:line:column` of an offset, in a time that does not grow with the file */
function placesIn(source: string, path: string): (offset: number) => string {
  let ends: number[] | undefined;
  return (offset) => {
    ends ??= [...source.matchAll(/\n/g)].map(({ index }) => index);
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return `${path}:${low + 1}:${offset - (ends[low - 1] ?? -1)}`;
  };
}

type Report = (offset: number, message: string) => void;

function* members(node: Node, problem: Report): Generator<[name: string, key: Node, value: Node]> {
  const seen = new Set<string>();
  for (const member of node.children ?? []) {
    const [key, value] = member.children ?? [];
    if (!key || !value) continue;
    const name = String(key.value);
    if (seen.has(name)) problem(key.offset, `${JSON.stringify(name)} appears twice; remove one`);
    else yield [name, key, value];
    seen.add(name);
  }
}

function isObject(node: Node, problem: Report): boolean {
  if (node.type === "object") return true;
  problem(node.offset, "expected an object");
  return false;
}

/** The plain value of a node. `__proto__` stays an ordinary key. */
function valueOf(node: Node): unknown {
  if (node.type === "array") return (node.children ?? []).map(valueOf);
  if (node.type !== "object") return node.value as unknown;
  return Object.fromEntries((node.children ?? []).map((member) => {
    const [key, value] = member.children ?? [];
    return [String(key?.value), value ? valueOf(value) : null];
  })); // prettier-ignore
}

function unknown(what: string, name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  const shown = JSON.stringify(name.slice(0, 60));
  return `unknown ${what}: ${shown}${near ? `; did you mean ${JSON.stringify(near)}?` : `; known are ${known.join(", ")}`}`;
}

/** People who write `"port": 1` without its group are told where it belongs. */
function unknownGroup(name: string, groups: readonly string[], leaves: readonly Leaf[]): string {
  const leaf = leaves.find((each) => each.name === name);
  if (!leaf) return unknown("group of settings", name, groups);
  return `${JSON.stringify(name)} belongs into its group: { ${JSON.stringify(leaf.group)}: { ${JSON.stringify(name)}: ... } }`;
}

const spaced = (code: string) => code.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
