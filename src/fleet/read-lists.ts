import type { Deadline } from "../core/deadline.ts";
import { DynamicMcpError, hasCode } from "../core/errors.ts";
import type { ItemKind } from "../core/item.ts";
import { isJsonObject, isTooDeep, type Json, type JsonObject } from "../core/json.ts";
import type { Upstream } from "../upstreams/upstream.ts";
import { checkLine } from "./check-line.ts";
import type { ServerDefinition } from "./definition.ts";
import { invalid } from "./errors.ts";
import type { ServerState } from "./fleet.ts";
import { EMPTY_SHELF, KINDS, type Offer, type Shelf } from "./offer.ts";
import type { FleetLimits } from "./options.ts";

const LIST_OF = {
  tool: { method: "tools/list", key: "tools", feature: "tools", capability: "tools" },
  prompt: { method: "prompts/list", key: "prompts", feature: "prompts", capability: "prompts" },
  resource: { method: "resources/list", key: "resources", feature: "resources", capability: "resources" },
  template: { method: "resources/templates/list", key: "resourceTemplates", feature: "resources", capability: "resources" }, // prettier-ignore
} as const satisfies Record<ItemKind, object>;

/** Lines that are looked at without letting others have their turn. */
const LINES_AT_ONCE = 500;
const MAX_QUARANTINED = 1_000;

export interface ReadListsOptions {
  definition: ServerDefinition;
  limits: FleetLimits["lists"];
  /** For one page of a list. */
  pageDeadline: (kind: ItemKind) => Deadline;
  /** Something that people should know. */
  tell: (text: string) => void;
}

export type Lists = Pick<Offer, "shelves" | "quarantined" | "uiUris">;

/**
 * Reads all lists of a server: every page, as far as its definition and its capabilities go.
 *
 * @throws what ends the whole: UPSTREAM_UNAVAILABLE, UPSTREAM_INVALID, TIMEOUT. A list that it refuses is empty.
 */
export async function readLists(upstream: Upstream, options: ReadListsOptions): Promise<Lists> {
  const { features } = options.definition;
  const quarantined: ServerState["quarantined"][number][] = [];
  const uiUris = new Set<string>();
  const shelves = {} as Record<ItemKind, Shelf>;
  await Promise.all(
    KINDS.map(async (kind) => {
      const { feature, capability } = LIST_OF[kind];
      const isThere = features[feature] && isJsonObject(upstream.about.capabilities[capability]);
      shelves[kind] = isThere ? await readKind(kind, upstream, options, quarantined, uiUris) : EMPTY_SHELF;
    }),
  );
  return { shelves, quarantined, uiUris: [...uiUris] };
}

async function readKind(
  kind: ItemKind,
  upstream: Upstream,
  { definition, limits, pageDeadline, tell }: ReadListsOptions,
  quarantined: ServerState["quarantined"][number][],
  uiUris: Set<string>,
): Promise<Shelf> {
  const { method, key } = LIST_OF[kind];
  const building = new ShelfBuilder();
  const cursors = new Set<string>();
  let params: JsonObject = {};
  const quarantine = (name: string, reason: string) => {
    if (quarantined.length < MAX_QUARANTINED) quarantined.push({ kind, name, reason });
  };
  for (let pages = 1; ; pages++) {
    const result = await page(kind, method, params, upstream, pageDeadline, tell);
    if (!result) break;
    const lines = result[key];
    if (!Array.isArray(lines)) throw invalid(definition.name, `answered ${method} without a list of ${key}`);
    for (const [at, value] of lines.entries()) {
      if (at % LINES_AT_ONCE === LINES_AT_ONCE - 1) await othersTurn();
      if (building.count >= limits.items) break;
      const checked = checkLine(kind, value);
      if ("reason" in checked) quarantine(checked.name, checked.reason);
      else {
        const reason = building.add(checked.key, checked.line, limits);
        if (reason !== undefined) quarantine(checked.key.slice(0, 100), reason);
        else if (kind === "tool") addUiUri(checked.line, uiUris);
      }
    }
    const cursor = result["nextCursor"];
    if (typeof cursor !== "string") break;
    const stop = stopReason(cursor, cursors, pages, building, limits);
    if (stop !== undefined) {
      tell(`${method} was read no further: ${stop}`);
      break;
    }
    cursors.add(cursor);
    params = { cursor };
  }
  return building.shelf();
}

function stopReason(
  cursor: string,
  seen: Set<string>,
  pages: number,
  built: ShelfBuilder,
  limits: FleetLimits["lists"],
) {
  if (seen.has(cursor)) return "its cursors go round in a circle";
  if (pages >= limits.pages) return `it has more than ${limits.pages} pages`;
  if (built.count >= limits.items) return `it has more than ${limits.items} lines`;
  if (built.chars >= limits.chars) return `it has more than ${limits.chars} characters`;
  return undefined;
}

/** @returns undefined when the server refuses this list */
async function page(
  kind: ItemKind,
  method: string,
  params: JsonObject,
  upstream: Upstream,
  pageDeadline: ReadListsOptions["pageDeadline"],
  tell: ReadListsOptions["tell"],
): Promise<JsonObject | undefined> {
  const deadline = pageDeadline(kind);
  try {
    return await upstream.request(method, params, { deadline });
  } catch (error) {
    if (hasCode(error, "TIMEOUT")) {
      throw new DynamicMcpError("TIMEOUT", `it did not answer ${method} within ${deadline.limitMs} ms`, {
        cause: error,
      });
    }
    if (!hasCode(error, "UPSTREAM_ERROR", "TOO_LARGE")) throw error;
    tell(`${method} was refused: ${error.message}`);
    return undefined;
  } finally {
    deadline.close();
  }
}

class ShelfBuilder {
  readonly #keys: string[] = [];
  readonly #seen = new Set<string>();
  readonly #starts = [0];
  readonly #lines: string[] = [];
  chars = 0;

  get count(): number {
    return this.#keys.length;
  }

  /** @returns why it cannot be taken */
  add(key: string, line: JsonObject, { lineChars, chars }: FleetLimits["lists"]): string | undefined {
    if (this.#seen.has(key)) return "another one before it has the same name";
    if (isTooDeep(line)) return "it is nested too deeply";
    const text = JSON.stringify(line);
    if (text.length > lineChars) return `it has ${text.length} characters, more than ${lineChars}`;
    if (this.chars + text.length > chars) return `the list has more than ${chars} characters`;
    this.#seen.add(key);
    this.#keys.push(key);
    this.#lines.push(text);
    this.chars += text.length;
    this.#starts.push(this.chars);
    return undefined;
  }

  shelf(): Shelf {
    return this.count === 0 ? EMPTY_SHELF : { keys: this.#keys, starts: this.#starts, text: this.#lines.join("") };
  }
}

const MAX_UI_URIS = 1_000;

/** Of MCP Apps: the nested form, and the flat one that came before it. */
function addUiUri({ _meta: meta }: JsonObject, found: Set<string>): void {
  if (!isJsonObject(meta) || found.size >= MAX_UI_URIS) return;
  const nested: Json | undefined = isJsonObject(meta["ui"]) ? meta["ui"]["resourceUri"] : undefined;
  for (const uri of [nested, meta["ui/resourceUri"]]) if (typeof uri === "string") found.add(uri);
}

const othersTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
