import { DynamicMcpError } from "../core/errors.ts";
import type { ItemKind, ItemOf } from "../core/item.ts";
import type { Listing } from "../core/source.ts";

/** One item of a pack: how it is listed, and what stands behind it. */
interface Entry<K extends ItemKind, T> {
  listing: Listing<K>;
  behind: T;
}

/** The items of one kind, by id. Its listings stay the same array until something is added or taken away. */
export class Shelf<K extends ItemKind, T> {
  readonly #entries = new Map<string, Entry<K, T>>();
  readonly #kind: K;
  readonly #toItem: (behind: T) => ItemOf<K>;
  readonly #onChange: (kind: K) => void;
  #listings: readonly Listing<K>[] | undefined;

  constructor(kind: K, toItem: (behind: T) => ItemOf<K>, onChange: (kind: K) => void) {
    this.#kind = kind;
    this.#toItem = toItem;
    this.#onChange = onChange;
  }

  /**
   * @returns takes it away again; safe to call twice
   * @throws PACK_FAILED when the id is taken
   */
  add(behind: T): () => void {
    const item = this.#toItem(behind);
    const { id } = item;
    if (this.#entries.has(id))
      throw new DynamicMcpError("PACK_FAILED", `there are two ${this.#kind}s ${id} in one pack`);
    const entry: Entry<K, T> = { listing: { kind: this.#kind, id, name: id, load: () => item }, behind };
    this.#entries.set(id, entry);
    this.#changed();
    return () => {
      if (this.#entries.get(id) !== entry) return;
      this.#entries.delete(id);
      this.#changed();
    };
  }

  get(id: string): T | undefined {
    return this.#entries.get(id)?.behind;
  }

  get listings(): readonly Listing<K>[] {
    return (this.#listings ??= [...this.#entries.values()].map(({ listing }) => listing));
  }

  #changed(): void {
    this.#listings = undefined;
    this.#onChange(this.#kind);
  }
}
