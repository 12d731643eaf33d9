import type { Json } from "../../core/json.ts";
import { digestOf } from "../digest.ts";
import { refuseNul } from "../plain-text.ts";
import type { ItemHead, ItemStore, Place, Revision, StoredItem, StoredKind } from "../store.ts";
import { findDamage, readBody } from "./damage.ts";
import type { BodyText } from "./item-writes.ts";
import type { Row, SqliteReader, Tables } from "./reader.ts";
import { ITEM_COLUMNS, itemHead, itemRow, placeKey, whyNotJson } from "./rows.ts";
import type { WriteQueue } from "./write-queue.ts";

export interface SqliteItems extends ItemStore {
  /** How many items there are, and how many of them cannot be used. */
  tally(): Promise<{ items: number; quarantined: number }>;
}

const HEAD = `SELECT ${ITEM_COLUMNS} FROM items i`;
const WHOLE = `SELECT ${ITEM_COLUMNS}, r.body, r.digest, r.author FROM items i
  LEFT JOIN revisions r ON r.item = i.id AND r.n = i.revision`;
const REVISION = "SELECT item, n, name, is_enabled, summary, body, digest, author, at, change FROM revisions";

export function createSqliteItems(reader: SqliteReader, queue: WriteQueue, nextId: () => string): SqliteItems {
  /** Bodies that turned out wrong only when they were read: reason by item id and revision. */
  const noticed = new Map<string, { revision: number; reason: string }>();
  let tallied: { seq: number; damaged: ReadonlySet<string> } | undefined;

  function damageOf(id: string, revision: number): string | undefined {
    const known = noticed.get(id);
    return known?.revision === revision ? known.reason : undefined;
  }

  function one(tables: Tables, where: string, ...values: string[]): StoredItem | undefined {
    const found = tables.arrays(`${WHOLE} WHERE ${where} AND i.removed_at IS NULL`, ...values)[0];
    if (!found) return undefined;
    const row = itemRow(found);
    const [body, digest, author] = found.slice(-3);
    if (typeof body !== "string" || typeof digest !== "string" || typeof author !== "string")
      return { ...itemHead(row, `its revision ${row.revision} is missing`), body: null, digest: "", author: "" };
    const read = readBody(body, digest);
    if (read.damage !== undefined) noticed.set(row.id, { revision: row.revision, reason: read.damage });
    else noticed.delete(row.id);
    const wrongSummary = whyNotJson(row.summary);
    const damage = read.damage ?? (wrongSummary === undefined ? undefined : `its summary is not JSON: ${wrongSummary}`);
    return { ...itemHead(row, damage), body: read.body, digest, author };
  }

  return {
    list: (kind) =>
      reader.read((tables) => {
        const damage = findDamage(tables, kind);
        return tables
          .arrays(`${HEAD} WHERE i.kind = ? AND i.removed_at IS NULL ORDER BY i.key, i.id`, kind)
          .map((values): ItemHead => {
            const row = itemRow(values);
            return itemHead(row, damage.get(row.id) ?? damageOf(row.id, row.revision));
          });
      }, []),

    count: (kind) =>
      reader.read((tables) => {
        const row = tables.get("SELECT count(*) AS n FROM items WHERE kind = ? AND removed_at IS NULL", kind);
        return Number(row?.["n"] ?? 0);
      }, 0),

    get: (id) => reader.read((tables) => one(tables, "i.id = ?", id), undefined),

    find: (kind: StoredKind, key: string, place: Place) =>
      reader.read(
        (tables) =>
          one(
            tables,
            "i.kind = ? AND i.reach = ? AND i.place = ? AND i.key = ?",
            kind,
            place.reach,
            placeKey(place),
            key,
          ),
        undefined,
      ),

    async create(draft, write, max) {
      const { body, ...head } = draft;
      refuseNul({ ...head, ...write });
      const { body: text, digest } = bodyText(body);
      const row = await queue.write("createItem", {
        ...head,
        id: nextId(),
        session: draft.session ?? null,
        place: placeKey(draft),
        body: text,
        digest,
        write,
        max: max ?? null,
      });
      return { ...itemHead(row), body, digest, author: write.author };
    },

    async update(id, { body, ...change }, write, expectedRevision) {
      refuseNul({ ...change, ...write });
      const fresh = body === undefined ? undefined : bodyText(body);
      const { row, kept } = await queue.write("updateItem", {
        id,
        change: { ...change, ...(fresh ? { body: fresh } : {}) },
        write,
        expectedRevision: expectedRevision ?? null,
      });
      const { body: text, digest } = fresh ?? (kept as BodyText);
      return {
        ...itemHead(row),
        body: body === undefined ? (JSON.parse(text) as Json) : body,
        digest,
        author: write.author,
      };
    },

    async remove(id, write, expectedRevision) {
      refuseNul(write);
      return itemHead(await queue.write("removeItem", { id, write, expectedRevision: expectedRevision ?? null }));
    },

    revisions: (id, { limit, before }) =>
      reader.read(
        (tables) =>
          tables
            .all(
              `${REVISION} WHERE item = ? AND n < ? ORDER BY n DESC LIMIT ?`,
              id,
              before ?? Number.MAX_SAFE_INTEGER,
              limit,
            )
            .map(revision),
        [],
      ),

    revision: (id, n) =>
      reader.read((tables) => {
        const row = tables.get(`${REVISION} WHERE item = ? AND n = ?`, id, n);
        return row ? revision(row) : undefined;
      }, undefined),

    tally: () =>
      reader.read(
        (tables) => {
          const counts = tables.get(
            `SELECT (SELECT count(*) FROM items WHERE removed_at IS NULL) AS items,
                    (SELECT ifnull(max(seq), 0) FROM changes) AS seq`,
          );
          const seq = Number(counts?.["seq"]);
          if (tallied?.seq !== seq) tallied = { seq, damaged: new Set(allDamage(tables)) };
          for (const [id, { revision }] of noticed) {
            const isLive = tables.get(
              "SELECT 1 FROM items WHERE id = ? AND revision = ? AND removed_at IS NULL",
              id,
              revision,
            );
            if (!isLive) noticed.delete(id);
          }
          const quarantined = new Set([...tallied.damaged, ...noticed.keys()]).size;
          return { items: Number(counts?.["items"]), quarantined };
        },
        { items: 0, quarantined: 0 },
      ),
  };
}

function allDamage(tables: Tables): string[] {
  const impossible = tables
    .arrays(`${HEAD} WHERE i.removed_at IS NULL`)
    .map((values) => itemHead(itemRow(values)))
    .filter((head) => head.quarantine !== undefined);
  return [...findDamage(tables).keys(), ...impossible.map(({ id }) => id)];
}

function bodyText(body: StoredItem["body"]): BodyText {
  return { digest: digestOf(body), body: JSON.stringify(body) };
}

function revision(row: Row): Revision {
  const { body, damage } = readBody(String(row["body"]), String(row["digest"]));
  const wrongSummary = whyNotJson(String(row["summary"]));
  const quarantine = damage ?? (wrongSummary === undefined ? undefined : `its summary is not JSON: ${wrongSummary}`);
  return {
    item: String(row["item"]),
    n: Number(row["n"]),
    name: String(row["name"]),
    isEnabled: row["is_enabled"] === 1,
    summary: quarantine === undefined ? String(row["summary"]) : "{}",
    body,
    digest: String(row["digest"]),
    author: String(row["author"]),
    at: String(row["at"]),
    change: String(row["change"]),
    ...(quarantine === undefined ? {} : { quarantine }),
  };
}
