import { digestOf } from "../digest.ts";
import type { Json } from "../../core/json.ts";
import type { StoredKind } from "../store.ts";
import type { Tables } from "./reader.ts";
import { whyNotJson } from "./rows.ts";

/**
 * Finds live items whose summary or newest body cannot be read. SQLite looks at the texts itself (25 ms for ten thousand
 * items, no rows leave it); only what it suspects is looked at here, because it refuses JSON nested deeper than 1000,
 * which we do not. Digests are compared when a body is read, not here.
 *
 * @param kind all kinds when undefined
 * @returns reasons by item id
 */
export function findDamage(tables: Tables, kind?: StoredKind): Map<string, string> {
  const damage = new Map<string, string>();
  const suspects = tables.all(
    `SELECT i.id, i.revision, i.summary, r.body FROM items i
       LEFT JOIN revisions r ON r.item = i.id AND r.n = i.revision
     WHERE i.removed_at IS NULL AND (? IS NULL OR i.kind = ?)
       AND (r.body IS NULL OR NOT json_valid(i.summary) OR NOT json_valid(r.body))`,
    kind ?? null,
    kind ?? null,
  );
  for (const { id, revision, summary, body } of suspects) {
    const why = whyUnreadable(String(summary), body === null ? undefined : String(body), Number(revision));
    if (why !== undefined) damage.set(String(id), why);
  }
  return damage;
}

function whyUnreadable(summary: string, body: string | undefined, revision: number): string | undefined {
  if (body === undefined) return `its revision ${revision} is missing`;
  const wrong = whyNotJson(body);
  if (wrong !== undefined) return `its body is not JSON: ${wrong}`;
  const wrongSummary = whyNotJson(summary);
  return wrongSummary === undefined ? undefined : `its summary is not JSON: ${wrongSummary}`;
}

/** A body as it was stored, or why it cannot be that. */
export function readBody(text: string, digest: string): { body: Json; damage?: string } {
  let body: Json;
  try {
    body = JSON.parse(text) as Json;
  } catch {
    return { body: null, damage: `its body is not JSON: ${whyNotJson(text)}` };
  }
  if (digestOf(body) === digest) return { body };
  return {
    body: null,
    damage: "its body does not match its digest: it was changed outside of dynamic-mcp, or the disk lost something",
  };
}
