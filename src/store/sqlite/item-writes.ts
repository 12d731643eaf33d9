import { DynamicMcpError } from "../../core/errors.ts";
import type { Reach, Write } from "../store.ts";
import { readBody } from "./damage.ts";
import { ITEM_COLUMNS, itemRow, whyNotJson, type ItemRow } from "./rows.ts";
import type { Run } from "./run.ts";

export interface NewItem {
  id: string;
  kind: string;
  name: string;
  key: string;
  reach: Reach;
  owner: string;
  session: string | null;
  place: string;
  isEnabled: boolean;
  summary: string;
  body: string;
  digest: string;
  write: Write;
  max: number | null;
}

export interface ItemUpdate {
  id: string;
  change: { name?: string; key?: string; isEnabled?: boolean; summary?: string; body?: BodyText };
  write: Write;
  expectedRevision: number | null;
}

/** JSON text and the digest of its canonical form. */
export interface BodyText {
  body: string;
  digest: string;
}

export interface ItemRemoval {
  id: string;
  write: Write;
  expectedRevision: number | null;
}

export function createItem(run: Run, item: NewItem): ItemRow {
  refuseTakenName(run, item, item.place, item.name, item.key);
  if (item.max !== null) refuseAboveLimit(run, item.kind, item.max);
  run(
    `INSERT INTO items
       (id, kind, name, key, reach, owner, session, place, revision, is_enabled, created_at, updated_at, summary)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)`,
    item.id,
    item.kind,
    item.name,
    item.key,
    item.reach,
    item.owner,
    item.session,
    item.place,
    Number(item.isEnabled),
    item.write.at,
    item.write.at,
    item.summary,
  );
  const row = liveRow(run, item.id);
  addRevision(run, row, item.body, item.digest, item.write);
  tell(run, row, "put");
  return row;
}

/** Rows are numbered from 1 and kept when an item is removed, so the highest number is quickly enough known to be fine. */
function refuseAboveLimit(run: Run, kind: string, max: number): void {
  if (Number(run("SELECT max(rowid) AS n FROM items")[0]?.["n"] ?? 0) < max) return;
  const row = run("SELECT count(*) AS live FROM items WHERE kind = ? AND removed_at IS NULL", kind)[0];
  if (Number(row?.["live"]) < max) return;
  throw new DynamicMcpError(
    "TOOL_LIMIT",
    `there are already ${max} items of the kind ${kind}, the most that this server keeps; delete one first`,
    { data: { max } },
  );
}

export function updateItem(
  run: Run,
  { id, change, write, expectedRevision }: ItemUpdate,
): { row: ItemRow; kept: BodyText | null } {
  const before = liveRow(run, id);
  refuseOtherRevision(before, expectedRevision);
  const name = change.name ?? before.name;
  const key = change.key ?? before.key;
  if (key !== before.key) {
    const place = run("SELECT place FROM items WHERE id = ?", id)[0]?.["place"] as string;
    refuseTakenName(run, before, place, name, key);
  }
  const summary = change.summary ?? before.summary;
  if (change.summary === undefined && whyNotJson(summary) !== undefined) throw unreadable(before, "summary");
  const { body, digest } = change.body ?? wholeBody(run, before);
  // Above whatever is there, so that a damaged revision number is no obstacle to a repair.
  const newest = run("SELECT max(n) AS n FROM revisions WHERE item = ?", id)[0]?.["n"];
  run(
    "UPDATE items SET name = ?, key = ?, is_enabled = ?, summary = ?, revision = ?, updated_at = ? WHERE id = ?",
    name,
    key,
    change.isEnabled === undefined ? Number(before.is_enabled === 1) : Number(change.isEnabled),
    summary,
    Math.max(before.revision, Number(newest ?? 0), 0) + 1,
    write.at,
    id,
  );
  const row = liveRow(run, id);
  addRevision(run, row, body, digest, write);
  tell(run, row, "put");
  return { row, kept: change.body ? null : { body, digest } };
}

export function removeItem(run: Run, { id, write, expectedRevision }: ItemRemoval): ItemRow {
  const before = liveRow(run, id);
  refuseOtherRevision(before, expectedRevision);
  run(
    "UPDATE items SET removed_at = ?, removed_by = ?, updated_at = ? WHERE id = ?",
    write.at,
    write.author,
    write.at,
    id,
  );
  tell(run, before, "remove");
  return { ...before, updated_at: write.at };
}

function liveRow(run: Run, id: string): ItemRow {
  const row = run(`SELECT ${ITEM_COLUMNS} FROM items i WHERE i.id = ? AND i.removed_at IS NULL`, id)[0];
  // Objects keep the order of the columns that were asked for.
  if (row) return itemRow(Object.values(row));
  throw new DynamicMcpError("TOOL_NOT_FOUND", `there is no item ${id}, or it was deleted`, { data: { id } });
}

function refuseOtherRevision(row: ItemRow, expected: number | null): void {
  if (expected === null || expected === row.revision) return;
  throw new DynamicMcpError(
    "REVISION_CONFLICT",
    `${row.name} is at revision ${row.revision}, not ${expected}: somebody else wrote first; read it again and retry`,
    { data: { current: row.revision, expected } },
  );
}

function refuseTakenName(
  run: Run,
  { kind, reach }: { kind: string; reach: string },
  place: string,
  name: string,
  key: string,
): void {
  const taken = run(
    "SELECT name FROM items WHERE kind = ? AND reach = ? AND place = ? AND key = ? AND removed_at IS NULL",
    kind,
    reach,
    place,
    key,
  )[0];
  if (!taken) return;
  const other = String(taken["name"]);
  const why =
    other === name ? "there is one already" : `${JSON.stringify(other)} is there, and clients would see the same name`;
  throw new DynamicMcpError("NAME_TAKEN", `the name ${JSON.stringify(name)} is taken: ${why}`, {
    data: { name: other },
  });
}

/** The newest body, as it lies there: what a write that does not touch it carries on. */
function wholeBody(run: Run, row: ItemRow): BodyText {
  const kept = run("SELECT body, digest FROM revisions WHERE item = ? AND n = ?", row.id, row.revision)[0];
  const [body, digest] = [kept?.["body"], kept?.["digest"]];
  if (typeof body !== "string" || typeof digest !== "string") throw unreadable(row, "body");
  if (readBody(body, digest).damage !== undefined) throw unreadable(row, "body");
  return { body, digest };
}

function unreadable(row: ItemRow, part: "body" | "summary"): DynamicMcpError {
  return new DynamicMcpError(
    "STORE_DAMAGED",
    `the stored ${part} of ${row.name} cannot be read; write it whole, roll back to an earlier revision, or delete it`,
    { data: { id: row.id, part } },
  );
}

function addRevision(run: Run, row: ItemRow, body: string, digest: string, write: Write): void {
  run(
    `INSERT INTO revisions (item, n, name, is_enabled, summary, body, digest, author, at, change)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    row.id,
    row.revision,
    row.name,
    row.is_enabled,
    row.summary,
    body,
    digest,
    write.author,
    write.at,
    write.change,
  );
}

function tell(run: Run, row: ItemRow, action: "put" | "remove"): void {
  run("INSERT INTO changes (topic, kind, item, action) VALUES ('items', ?, ?, ?)", row.kind, row.id, action);
}
