import { DynamicMcpError } from "../core/errors.ts";
import { isJsonObject, type Json } from "../core/json.ts";
import type { ItemHead } from "../store/store.ts";
import type { AuthoredTools, RevisionView, ToolPage, ToolQuery } from "./authored.ts";
import { readBody, readSummary } from "./body.ts";
import type { Lookup } from "./lookup.ts";
import type { AuthoredServices } from "./services.ts";
import type { Snapshot } from "./snapshot.ts";
import { viewOfHead, viewWithCode } from "./view.ts";

/** Code of one page together, in characters: a page ends early before it becomes a flood. */
const MAX_PAGE_CODE = 1_000_000;
const CURSOR_PREFIX = "tools.1.";

type Reading = Pick<AuthoredTools, "list" | "get" | "history">;

export function createReading({ store }: Pick<AuthoredServices, "store">, snapshot: Snapshot, lookup: Lookup): Reading {
  return {
    async list(query): Promise<ToolPage> {
      const found = snapshot.heads().filter((head) => fits(head, query));
      const from = query.cursor === undefined ? undefined : readCursor(query.cursor);
      const rest = from === undefined ? found : found.filter((head) => head.key > from);
      const page: ToolPage = { tools: [], total: found.length };
      let codeChars = 0;
      let last: ItemHead | undefined;
      for (const head of rest.slice(0, query.limit)) {
        if (codeChars >= MAX_PAGE_CODE) break;
        const code = query.includeCode ? codeOf((await store.items.get(head.id))?.body ?? null) : undefined;
        codeChars += code?.length ?? 0;
        page.tools.push({ ...viewOfHead(head), ...(code !== undefined && { code }) });
        last = head;
      }
      if (last && page.tools.length < rest.length) page.nextCursor = writeCursor(last.key);
      return page;
    },

    async get(name, revision) {
      const item = await lookup.item(name);
      if (revision === undefined || revision === item.revision)
        return viewWithCode(item, readBody(item.name, item.body));
      const older = await lookup.revision(item, revision);
      const head = { ...item, isEnabled: older.isEnabled, revision: older.n, updatedAt: older.at };
      return viewWithCode(head, readBody(item.name, older.body));
    },

    async history(name, { limit, before, includeCode = false }) {
      const head = await lookup.head(name);
      const range = { limit: limit + 1, ...(before !== undefined && { before }) };
      const revisions = await store.items.revisions(head.id, range);
      const page = revisions.slice(0, limit).map(({ n, change, author, at, isEnabled, digest, body }): RevisionView => {
        const code = codeOf(body);
        const codeSizeBytes = Buffer.byteLength(code);
        return { revision: n, change, author, at, enabled: isEnabled, digest, codeSizeBytes, ...(includeCode && { code }) }; // prettier-ignore
      });
      const last = page.at(-1);
      return {
        name: head.name,
        current: head.revision,
        revisions: page,
        ...(last && revisions.length > limit && { nextBefore: last.revision }),
      };
    },
  };
}

function fits(head: ItemHead, { search, includeDisabled = true }: ToolQuery): boolean {
  if (!includeDisabled && !head.isEnabled) return false;
  const words = search?.toLowerCase().split(/\s+/).filter(Boolean) ?? [];
  if (words.length === 0) return true;
  const { title = "", description } = readSummary(head.summary);
  const text = `${head.name} ${head.key} ${title} ${description}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

const writeCursor = (key: string) => Buffer.from(CURSOR_PREFIX + key).toString("base64url");

function readCursor(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString();
  if (text.startsWith(CURSOR_PREFIX) && writeCursor(text.slice(CURSOR_PREFIX.length)) === cursor) {
    return text.slice(CURSOR_PREFIX.length);
  }
  throw new DynamicMcpError("INVALID_CURSOR", "the cursor was not made by this list; start again without one");
}

/** Of a body that may be damaged. */
function codeOf(body: Json): string {
  const code = isJsonObject(body) ? body["code"] : undefined;
  return typeof code === "string" ? code : "";
}
