import type { SearchDocument } from "./search.ts";
import { folded } from "./tokens.ts";

/** Documents by name in any spelling: `read_file`, `readFile`, `Read file`, `fs__read_file`, `fs read file`. */
export interface ExactNames {
  add(document: SearchDocument): void;
  remove(document: SearchDocument): void;
  /** Keys of documents that `query` names. What has a higher place goes first, whatever else the words say. */
  find(query: string): Map<string, number>;
}

const PLACES = { name: 40, qualified: 38, title: 30, server: 20, mentioned: 10 };

const MAX_NAME_CHARS = 200;
const MAX_MENTIONS = 20;
/** What servers are called besides what they are for. */
const AFFIXES = /(^|[^a-z])(?:mcp|server)(?=$|[^a-z])/g;
/** Words that nobody writes by chance. */
const IDENTIFIER = /(?=[\w.:/-]*(?:[A-Za-z\d][_:/.-]+[A-Za-z\d]|[a-z][A-Z]))[A-Za-z\d][\w.:/-]*/g;

export function createExactNames(): ExactNames {
  const names = createBuckets();
  const titles = createBuckets();
  const servers = createBuckets();

  function each({ key, name, title, server }: SearchDocument, change: "add" | "remove"): void {
    names[change](squash(name), key);
    const bare = squash(withoutAffixes(name));
    if (bare !== squash(name)) titles[change](bare, key);
    if (title !== undefined && title !== name) titles[change](squash(title), key);
    if (server === undefined || server === "") return;
    servers[change](squash(server), key);
    const bareServer = squash(withoutAffixes(server));
    if (bareServer !== squash(server)) servers[change](bareServer, key);
  }

  /** Server and name in one, in either order. */
  function qualified(squashed: string): string[] {
    const found: string[] = [];
    for (let at = 1; at < squashed.length; at++) {
      const parts = [squashed.slice(0, at), squashed.slice(at)] as const;
      for (const [server, name] of [parts, parts.toReversed()]) {
        const keys = names.get(name ?? "");
        if (keys.length === 0) continue;
        const ofServer = new Set(servers.get(server ?? ""));
        found.push(...keys.filter((key) => ofServer.has(key)));
      }
    }
    return found;
  }

  return {
    add: (document) => each(document, "add"),
    remove: (document) => each(document, "remove"),
    find(query) {
      const found = new Map<string, number>();
      const add = (keys: readonly string[], place: number) => {
        for (const key of keys) if (!found.has(key)) found.set(key, place);
      };
      const squashed = query.length <= MAX_NAME_CHARS ? squash(query) : "";
      if (squashed !== "") {
        add(names.get(squashed), PLACES.name);
        add(qualified(squashed), PLACES.qualified);
        add(titles.get(squashed), PLACES.title);
        add(servers.get(squashed), PLACES.server);
      }
      const mentions = query.slice(0, 2_000).match(IDENTIFIER) ?? [];
      for (const word of mentions.slice(0, MAX_MENTIONS)) {
        const mentioned = squash(word);
        add(names.get(mentioned), PLACES.mentioned);
        add(qualified(mentioned), PLACES.mentioned);
      }
      return found;
    },
  };
}

/** Letter for letter; of two whose names differ in spelling alone, it is this one. */
export function isSpelledAs(query: string, { name, server }: SearchDocument): boolean {
  const written = query.trim();
  return written === name || written === server || written === `${server}__${name}`;
}

/** Keys by a text. Most have one, which then costs no set. */
function createBuckets() {
  const buckets = new Map<string, string | Set<string>>();
  return {
    get(text: string): string[] {
      const bucket = buckets.get(text);
      if (bucket === undefined) return [];
      return typeof bucket === "string" ? [bucket] : [...bucket];
    },
    add(text: string, key: string): void {
      const bucket = buckets.get(text);
      if (text === "" || bucket === key) return;
      if (bucket === undefined) buckets.set(text, key);
      else if (typeof bucket === "string") buckets.set(text, new Set([bucket, key]));
      else bucket.add(key);
    },
    remove(text: string, key: string): void {
      const bucket = buckets.get(text);
      if (bucket === key || (typeof bucket === "object" && bucket.delete(key) && bucket.size === 0)) {
        buckets.delete(text);
      }
    },
  };
}

function squash(name: string): string {
  const short = name.slice(0, MAX_NAME_CHARS);
  const letters = folded(short).replace(/[^\p{L}\p{N}]/gu, "");
  return letters === "" ? short.trim() : letters;
}

const withoutAffixes = (name: string) => folded(name.slice(0, MAX_NAME_CHARS)).replace(AFFIXES, "$1");
