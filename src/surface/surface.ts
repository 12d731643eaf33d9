import type { Caller } from "../core/caller.ts";
import type { ItemKind, ItemOf } from "../core/item.ts";
import type { Listing, Source } from "../core/source.ts";

/**
 * What this caller sees now: all Sources merged, named for the wire, filtered by profile, in one stable order.
 * Views are computed from memory and shared between callers that see the same.
 */
export interface Surface {
  view(caller: Caller): View;
  /** Once per burst of changes, for each kind that changed. */
  onChange(listener: (kinds: ReadonlySet<ItemKind>) => void): () => void;
  onResourceUpdated(listener: (uri: string) => void): () => void;
}

export interface View {
  /** Changes exactly when what the view holds changes; views with the same version are the same. */
  readonly version: string;
  /** Sorted by wire name (tools, prompts) or URI; adding one moves no other. */
  list<K extends ItemKind>(kind: K): readonly Named<K>[];
  /** Finds a tool or prompt by either spelling, listed or not (`tool_call` reaches what a profile hides). */
  find<K extends "tool" | "prompt">(kind: K, name: string): Named<K> | undefined;
  /** A resource by its URI, or the first template that matches, with its variables. */
  findResource(uri: string): { named: Named<"resource" | "template">; variables: Record<string, string> } | undefined;
}

export interface Named<K extends ItemKind = ItemKind> {
  /** As listed: the wire spelling, or the dotted one when the operator chose that. */
  readonly name: string;
  readonly listing: Listing<K>;
  readonly source: Source;
  load(): ItemOf<K>;
}
