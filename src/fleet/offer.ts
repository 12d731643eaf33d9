import type { ItemKind } from "../core/item.ts";
import type { JsonObject } from "../core/json.ts";
import type { UpstreamAbout } from "../upstreams/upstream.ts";
import type { ServerState } from "./fleet.ts";

/** Kinds of what a server lists, always in this order. */
export const KINDS = ["tool", "prompt", "resource", "template"] as const satisfies readonly ItemKind[];

/** The lines of one list as JSON text: ten thousand of them are one text, and nothing of it is parsed until it is used. */
export interface Shelf {
  /** Own names of tools and prompts, URIs, URI templates; no two are the same. */
  readonly keys: readonly string[];
  /** Where in `text` each line begins; one more at the end, where the last ends. */
  readonly starts: readonly number[];
  readonly text: string;
}

export const EMPTY_SHELF: Shelf = { keys: [], starts: [0], text: "" };

export function lineOf(shelf: Shelf, at: number): string {
  return shelf.text.slice(shelf.starts[at], shelf.starts[at + 1]);
}

/** What a server offers, as it was when it was last asked. */
export interface Offer {
  about: Pick<UpstreamAbout, "era" | "version" | "transport" | "info" | "capabilities" | "instructions">;
  shelves: Readonly<Record<ItemKind, Shelf>>;
  quarantined: ServerState["quarantined"];
  /** Resources that its tools show themselves with (`_meta.ui.resourceUri`); no list needs to have them. */
  uiUris: readonly string[];
  /** ms since 1970. */
  listedAt: number;
  /** What it was told that its client can be asked: what it lists may depend on that. */
  capabilities: JsonObject;
  /** Why each client that can be asked something has a connection of its own; absent: they share. */
  personal?: Personal;
}

/**
 * How a server was seen to need to know whose a connection is, each including those before: it asked what could not be told
 * to be for one client; it asked for roots; it did so as soon as it was connected.
 */
export const PERSONAL = ["unclear", "roots", "roots at start"] as const;
export type Personal = (typeof PERSONAL)[number];

/** The lines of `shelf`, and after them those of `other` that it lacks and that are to stay. */
export function withMissing(shelf: Shelf, other: Shelf, stays: (key: string) => boolean): Shelf {
  const own = new Set(shelf.keys);
  const missing = [...other.keys.keys()].filter((at) => !own.has(other.keys[at] ?? "") && stays(other.keys[at] ?? ""));
  if (missing.length === 0) return shelf;
  const lines = missing.map((at) => lineOf(other, at));
  const starts = [...shelf.starts];
  for (const line of lines) starts.push((starts.at(-1) ?? 0) + line.length);
  const keys = [...shelf.keys, ...missing.map((at) => other.keys[at] ?? "")];
  return { keys, starts, text: shelf.text + lines.join("") };
}

export function isSameShelf(a: Shelf, b: Shelf): boolean {
  return (
    a === b || (a.text === b.text && a.keys.length === b.keys.length && a.keys.every((key, at) => key === b.keys[at]))
  );
}
