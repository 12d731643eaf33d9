import type { Caller } from "../core/caller.ts";
import type { Exposure } from "../core/exposure.ts";
import type { ItemKind, ItemOf } from "../core/item.ts";
import type { ChannelMessage, Listing, Source } from "../core/source.ts";

/**
 * What this caller sees now: all Sources merged, named for the wire, filtered by profile, in one stable order.
 * Views are computed from memory and shared between callers that see the same.
 */
export interface Surface {
  view(caller: Caller): View;
  /** Once per burst of changes, for each kind that changed. */
  onChange(listener: (kinds: ReadonlySet<ItemKind>) => void): () => void;
  onResourceUpdated(listener: (uri: string) => void): () => void;
  /** See `Source.watch`; a URI that is nobody's is watched by nobody. */
  watch(uri: string, caller: Caller): () => void;
  /** See `Source.onMessage`. */
  onMessage(listener: (message: ChannelMessage) => void): () => void;
  /** See `Source.rootsChanged`. */
  rootsChanged(caller: Caller): void;
}

export interface View {
  /** Changes exactly when what the view holds changes; views with the same version are the same. */
  readonly version: string;
  /** Changes only when what {@link list} gives for this kind changes: for pages, cursors and notices. */
  listVersion(kind: ItemKind): string;
  /** Sorted by wire name (tools, prompts) or URI; adding one moves no other. */
  list<K extends ItemKind>(kind: K): readonly Named<K>[];
  /** As {@link list}, with what is not listed: all that this caller may use. */
  all<K extends ItemKind>(kind: K): readonly Named<K>[];
  /** A tool by its server's name for it. */
  findInGroup(group: string, nameInGroup: string): Named<"tool"> | undefined;
  /** How tools are exposed to this caller, once `auto` is decided. */
  readonly exposure: Exclude<Exposure, "auto">;
  /** Finds a tool or prompt by either spelling, listed or not (`tool_call` reaches what a profile hides). */
  find<K extends "tool" | "prompt">(kind: K, name: string): Named<K> | undefined;
  /** A resource by its URI, or the template that fits best, with its variables, or what a Source has handed out. */
  findResource(uri: string, caller: Caller): FoundResource | undefined;
}

/** A listed resource or a template with its variables, or what a Source claims though no list shows it. */
export type FoundResource =
  { named: Named<"resource" | "template">; variables: Record<string, string> } | { source: Source; id: string };

export interface Named<K extends ItemKind = ItemKind> {
  /** As listed: the wire spelling, or the dotted one when the operator chose that. */
  readonly name: string;
  readonly listing: Listing<K>;
  readonly source: Source;
  load(): ItemOf<K>;
}
