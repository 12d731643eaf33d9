import type { Exposure } from "../core/exposure.ts";
import type { ItemKind, ItemOf } from "../core/item.ts";
import type { JsonObject } from "../core/json.ts";
import type { Listing } from "../core/source.ts";
import type { ServerDefinition } from "./definition.ts";
import { Losses } from "./losses.ts";
import { isAllowed, namesInGroup, WireNames } from "./names.ts";
import { lineOf, type Shelf } from "./offer.ts";
import { toItem } from "./to-item.ts";

/** What one server has on one of its shelves. */
export interface Stock {
  definition: ServerDefinition;
  shelf: Shelf;
}

/** Items that are kept parsed, so that one that is called again and again has one identity (and one compiled schema). */
const MAX_LOADED = 256;

/** One line of a server's list under the name that it has here. */
export class FleetListing<K extends ItemKind = ItemKind> implements Listing<K> {
  readonly kind: K;
  readonly id: string;
  readonly name: string;
  /** The server's own name or URI for it. */
  readonly key: string;
  readonly server: string;
  readonly group?: string;
  readonly nameInGroup?: string;
  readonly expose?: Exposure;
  #shelf: Shelf;
  #at: number;
  readonly #loaded: Map<FleetListing, object>;

  constructor(
    kind: K,
    { definition, shelf }: Stock,
    at: number,
    names: { name: string; nameInGroup: string | undefined },
    loaded: Map<FleetListing, object>,
  ) {
    this.kind = kind;
    this.key = shelf.keys[at] ?? "";
    this.server = definition.name;
    this.id = idOf(kind, this.server, this.key);
    this.name = names.name;
    if (kind === "tool") this.group = this.server;
    if (names.nameInGroup !== undefined) this.nameInGroup = names.nameInGroup;
    if (definition.expose !== undefined) this.expose = definition.expose;
    this.#shelf = shelf;
    this.#at = at;
    this.#loaded = loaded;
  }

  get chars(): number {
    return (this.#shelf.starts[this.#at + 1] ?? 0) - (this.#shelf.starts[this.#at] ?? 0);
  }

  get line(): string {
    return lineOf(this.#shelf, this.#at);
  }

  /** Cut out of the line, which we have written ourselves: its name is in it once, and first where this is of use. */
  text(name: string): string | undefined {
    if (this.kind !== "tool" && this.kind !== "prompt") return undefined;
    const { line } = this;
    const own = `{"name":${JSON.stringify(this.key)}`;
    return line.startsWith(own) ? `{"name":${JSON.stringify(name)}${line.slice(own.length)}` : undefined;
  }

  load(): ItemOf<K> {
    const before = this.#loaded.get(this);
    if (before) return before as ItemOf<K>;
    const item = toItem(this.kind, JSON.parse(this.line) as JsonObject, { id: this.id, name: this.name });
    if (this.#loaded.size >= MAX_LOADED) for (const [oldest] of this.#loaded) if (this.#loaded.delete(oldest)) break;
    this.#loaded.set(this, item);
    return item;
  }

  /** @returns whether it is the same line; from now on it is cut from that shelf, so that the old one can go */
  movesTo({ definition, shelf }: Stock, at: number, names: { name: string; nameInGroup: string | undefined }): boolean {
    if (this.name !== names.name || this.nameInGroup !== names.nameInGroup) return false;
    if (this.expose !== definition.expose) return false;
    if (this.#shelf !== shelf || this.#at !== at) {
      if (lineOf(shelf, at) !== this.line) return false;
      this.#shelf = shelf;
      this.#at = at;
    }
    return true;
  }
}

const LETTER_OF = { tool: "tools", prompt: "prompts", resource: "resources", template: "templates" } as const;

/** Stable over restarts, unique among all kinds. */
function idOf(kind: ItemKind, server: string, key: string): string {
  return `${encodeURIComponent(server)}/${LETTER_OF[kind]}/${key}`;
}

/** Of what {@link idOf} made. */
export function serverOfId(id: string): string {
  return decodeURIComponent(id.slice(0, id.indexOf("/")));
}

/** The listings of one kind over all servers; a line that stays as it was keeps its listing, and so do caches by it. */
export class Listings<K extends ItemKind> {
  readonly #kind: K;
  readonly #loaded = new Map<FleetListing, object>();
  #all: readonly FleetListing<K>[] = [];
  #byId = new Map<string, FleetListing<K>>();
  #isIndexed = true;
  readonly #losses = new Losses();

  constructor(kind: K) {
    this.#kind = kind;
  }

  /** The same array until something in it has changed. */
  get all(): readonly FleetListing<K>[] {
    return this.#all;
  }

  get(id: string): FleetListing<K> | undefined {
    this.#index();
    return this.#byId.get(id);
  }

  /**
   * @param stocks in ascending order of server
   * @param tell   what a server should know: once, until it is something else
   * @returns whether anything has changed
   */
  stock(stocks: readonly Stock[], tell: (server: string, text: string) => void = () => {}): boolean {
    this.#index();
    const named = new WireNames();
    const holders = this.#kind === "resource" || this.#kind === "template" ? this.#holdersOf(stocks) : undefined;
    const next: FleetListing<K>[] = [];
    for (const stock of stocks.toSorted(byClaimToNames)) {
      const group = this.#kind === "tool" ? namesInGroup(stock.definition.tools, stock.shelf.keys) : stock.shelf.keys;
      for (const at of inStableOrder(group)) {
        const key = stock.shelf.keys[at] ?? "";
        const names = this.#namesOf(stock.definition, key, group[at] ?? key, named, holders);
        if (!names) continue;
        const before = this.#byId.get(idOf(this.#kind, stock.definition.name, key));
        next.push(
          before?.movesTo(stock, at, names) ? before : new FleetListing(this.#kind, stock, at, names, this.#loaded),
        );
      }
    }
    this.#losses.tellThose(this.#kind, tell);
    const sorted = inOrder(next);
    if (sorted.length === this.#all.length && sorted.every((listing, at) => listing === this.#all[at])) return false;
    this.#all = sorted;
    this.#loaded.clear();
    this.#byId = new Map();
    this.#isIndexed = false;
    return true;
  }

  #namesOf(
    definition: ServerDefinition,
    key: string,
    inGroup: string,
    named: WireNames,
    holders: Map<string, string> | undefined,
  ) {
    if (holders) {
      const holder = holders.get(key);
      if (holder === definition.name) return { name: key, nameInGroup: undefined };
      this.#losses.note(definition.name, key, holder);
      return undefined;
    }
    if (this.#kind === "tool" && !isAllowed(definition.tools, key)) return undefined;
    const wanted = definition.prefix === "" ? inGroup : `${definition.prefix}__${inGroup}`;
    const [holder] = named.holderOf(wanted)?.split("\n", 1) ?? [];
    if (holder !== undefined && holder !== definition.name) this.#losses.note(definition.name, inGroup, holder);
    const name = named.take(wanted, `${definition.name}\n${key}`);
    return { name, nameInGroup: this.#kind === "tool" ? inGroup : undefined };
  }

  /**
   * Which server each URI is read at. It cannot be changed without breaking who refers to it: the first server has it, and
   * keeps it when another begins to list it.
   */
  #holdersOf(stocks: readonly Stock[]): Map<string, string> {
    const before = new Map(this.#all.map(({ key, server }) => [key, server]));
    const holders = new Map<string, string>();
    for (const { definition, shelf } of stocks) {
      for (const key of shelf.keys) {
        if (!holders.has(key) || before.get(key) === definition.name) holders.set(key, definition.name);
      }
    }
    return holders;
  }

  /** Made when the first one is looked for: a start need not pay for it. */
  #index(): void {
    if (this.#isIndexed) return;
    for (const listing of this.#all) this.#byId.set(listing.id, listing);
    this.#isIndexed = true;
  }
}

/**
 * No server takes a name that is another's by its prefix: those that go by their own name come first, the longer before
 * what may begin like it, and those without a prefix last.
 */
function byClaimToNames({ definition: a }: Stock, { definition: b }: Stock): number {
  const rank = ({ prefix, name }: ServerDefinition) => (prefix === name ? 0 : prefix === "" ? 2 : 1);
  return rank(a) - rank(b) || b.prefix.length - a.prefix.length || (a.name < b.name ? -1 : 1);
}

/** Whoever wants a name first gets it: that must not depend on the order in which a server happens to list. */
function inStableOrder(names: readonly string[]): Iterable<number> {
  for (let at = 1; at < names.length; at++) {
    if ((names[at - 1] ?? "") > (names[at] ?? "")) {
      return [...names.keys()].toSorted((a, b) => ((names[a] ?? "") < (names[b] ?? "") ? -1 : 1));
    }
  }
  return names.keys();
}

function inOrder<K extends ItemKind>(listings: FleetListing<K>[]): FleetListing<K>[] {
  for (let at = 1; at < listings.length; at++) {
    if ((listings[at - 1]?.name ?? "") > (listings[at]?.name ?? "")) {
      return listings.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    }
  }
  return listings;
}
