import type { SQLOutputValue } from "node:sqlite";
import type { ItemHead, Place, Reach, StoredKind } from "../store.ts";
import { isId } from "../ids.ts";

/** A row of `items` as it lies there, damaged or not. */
export interface ItemRow {
  id: string;
  kind: string;
  name: string;
  key: string;
  reach: string;
  owner: string;
  session: string | null;
  revision: number;
  is_enabled: number;
  created_at: string;
  updated_at: string;
  summary: string;
}

/** In the order of {@link itemRow}. */
export const ITEM_COLUMNS = [
  "id",
  "kind",
  "name",
  "key",
  "reach",
  "owner",
  "session",
  "revision",
  "is_enabled",
  "created_at",
  "updated_at",
  "summary",
]
  .map((column) => `i.${column}`)
  .join(", ");

/** STRICT tables keep the types of columns, so the casts hold for every file that SQLite can read. */
export function itemRow(values: SQLOutputValue[]): ItemRow {
  const [id, kind, name, key, reach, owner, session, revision, isEnabled, createdAt, updatedAt, summary] = values;
  return {
    id: id as string,
    kind: kind as string,
    name: name as string,
    key: key as string,
    reach: reach as string,
    owner: owner as string,
    session: session as string | null,
    revision: revision as number,
    is_enabled: isEnabled as number,
    created_at: createdAt as string,
    updated_at: updatedAt as string,
    summary: summary as string,
  };
}

/**
 * A head as the port has it. With a reason, the summary is replaced by `{}`: nobody who parses summaries trips over it.
 *
 * @param damage what else is wrong with the row, beyond what {@link whyImpossible} sees
 */
export function itemHead(row: ItemRow, damage?: string): ItemHead {
  const quarantine = whyImpossible(row) ?? damage;
  return {
    id: row.id,
    kind: row.kind as StoredKind,
    name: row.name,
    key: row.key,
    reach: row.reach as Reach,
    owner: row.owner,
    ...(row.session === null ? {} : { session: row.session }),
    revision: row.revision,
    isEnabled: row.is_enabled === 1,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    summary: quarantine === undefined ? row.summary : "{}",
    ...(quarantine === undefined ? {} : { quarantine }),
  };
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

/** Values that this program never writes. @returns why the row cannot be trusted */
function whyImpossible(row: ItemRow): string | undefined {
  if (!isId(row.id)) return `its id ${JSON.stringify(row.id)} was not made by this store`;
  if (row.name === "" || row.key === "") return "its name is empty";
  if (row.reach !== "shared" && row.reach !== "user" && row.reach !== "session")
    return `its reach ${JSON.stringify(row.reach)} is not one of shared, user, session`;
  if (row.reach === "session" && !row.session) return "it belongs to a session but names none";
  if (row.revision < 1) return `its revision ${row.revision} is below 1`;
  if (row.is_enabled !== 0 && row.is_enabled !== 1) return `it is neither enabled nor disabled (${row.is_enabled})`;
  if (!TIME.test(row.created_at) || !TIME.test(row.updated_at)) return "its times are not ISO 8601";
  return undefined;
}

/** The value of `items.place`: where a live name is unique. */
export function placeKey(place: Place): string {
  if (place.reach === "shared") return "";
  if (place.reach === "user") return place.owner;
  if (!place.session) throw new Error("an item with the reach session needs a session");
  return place.session;
}

/** @returns why a text is not JSON, undefined when it is */
export function whyNotJson(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 200) : "not JSON";
  }
}
