import type { Caller } from "../core/caller.ts";
import type { Json } from "../core/json.ts";
import type { Listing, Logger } from "../core/source.ts";
import type { SearchDocument, SearchIndex } from "../search/search.ts";
import { createFinderDescriptions } from "./finder-descriptions.ts";
import type { Named } from "./surface.ts";

/** Callers whose last view is remembered; a search by another one takes the place of the oldest. */
const MAX_CALLERS = 64;
/** A view that nobody searched in for so long is let go, in ms. */
const FORGET_AFTER_MS = 30 * 60_000;
const MAX_PARAMETERS = 50;
const PARAMETER_CHARS = 80;

/** What one view holds, by the keys of the index. */
export type InView = ReadonlyMap<string, Named<"tool">>;

export interface FinderDocuments {
  /**
   * Brings the index up to what this view holds: only what is new to it is loaded, only what no remembered view has any
   * more is taken out. What a server says of itself is taken up within seconds, also when its list stays the same.
   */
  sync(caller: Caller, tools: readonly Named<"tool">[]): InView;
  /** Keys of all documents of one tool: callers may see different ones under one id. */
  keysOf(tool: string): Iterable<string>;
}

export interface FinderDocumentsOptions {
  index: SearchIndex;
  describeServer: (server: string) => string | undefined;
  /** A document has come into the index. */
  onAdded: (key: string, tool: string) => void;
  now: () => number;
  log: Logger;
}

/** Names a tool over restarts: what a signal is kept under. */
export const toolId = (source: string, item: string) => `${source}/${item}`;

interface Known {
  tool: string;
  document: SearchDocument;
  /** Remembered views that hold it. */
  holders: number;
}

interface Place {
  tools: readonly Named<"tool">[];
  usedAt: number;
}

export function createFinderDocuments(options: FinderDocumentsOptions): FinderDocuments {
  const { index, describeServer, onAdded, now, log } = options;
  const known = new Map<Listing, Known>();
  const byTool = new Map<string, Set<string>>();
  const byServer = new Map<string, Set<Known>>();
  const descriptions = createFinderDescriptions(describeServer, now);
  /** By the list itself: callers that see the same share it. */
  const views = new Map<readonly Named<"tool">[], { inView: Map<string, Named<"tool">>; places: number }>();
  const places = new Map<string, Place>();

  function hold(tools: readonly Named<"tool">[]): Map<string, Named<"tool">> {
    const held = views.get(tools);
    if (held) {
      held.places++;
      return held.inView;
    }
    const inView = new Map<string, Named<"tool">>();
    for (const named of tools) {
      const listing = known.get(named.listing) ?? add(named);
      listing.holders++;
      inView.set(listing.document.key, named);
    }
    views.set(tools, { inView, places: 1 });
    return inView;
  }

  function letGo(tools: readonly Named<"tool">[]): void {
    const held = views.get(tools);
    if (!held || --held.places > 0) return;
    views.delete(tools);
    for (const [key, { listing }] of held.inView) {
      const entry = known.get(listing);
      if (!entry || --entry.holders > 0) continue;
      known.delete(listing);
      index.remove(key);
      const keys = byTool.get(entry.tool);
      keys?.delete(key);
      if (keys?.size === 0) byTool.delete(entry.tool);
      const { server } = entry.document;
      if (server === undefined || !byServer.get(server)?.delete(entry) || byServer.get(server)?.size !== 0) continue;
      byServer.delete(server);
      descriptions.forget(server);
    }
  }

  function add(named: Named<"tool">): Known {
    const { listing, source } = named;
    const tool = toolId(source.name, listing.id);
    const keys = byTool.get(tool) ?? new Set();
    // Its first document has the plain key, so that what ties is ordered the same after every start.
    let key = tool;
    for (let other = 2; keys.has(key); other++) key = `${tool} ${other}`;
    byTool.set(tool, keys.add(key));
    const document = documentOf(key, named);
    index.set(document);
    const entry = { tool, document, holders: 0 };
    known.set(listing, entry);
    if (document.server !== undefined) {
      const ofServer = byServer.get(document.server) ?? new Set();
      byServer.set(document.server, ofServer.add(entry));
    }
    onAdded(key, tool);
    return entry;
  }

  function describeAgain(): void {
    for (const server of descriptions.changed()) {
      for (const entry of byServer.get(server) ?? []) {
        entry.document = { ...entry.document, serverDescription: descriptions.of(server) ?? "" };
        index.set(entry.document);
      }
    }
  }

  function documentOf(key: string, named: Named<"tool">): SearchDocument {
    const { group, nameInGroup, name } = named.listing;
    const document: SearchDocument = { key, name: nameInGroup ?? name };
    if (group !== undefined) {
      document.server = group;
      const description = descriptions.of(group);
      if (description !== undefined) document.serverDescription = description;
    }
    try {
      const { title, description, inputSchema } = named.load();
      if (typeof title === "string") document.title = title;
      if (typeof description === "string") document.description = description;
      document.parameters = parametersOf(inputSchema);
    } catch (error) {
      log.warn({ err: error, tool: named.name }, "a tool could not be read; it is found by its name alone");
    }
    return document;
  }

  return {
    sync(caller, tools) {
      const at = now();
      const place = placeOf(caller);
      const before = places.get(place);
      places.delete(place);
      places.set(place, { tools, usedAt: at });
      describeAgain();
      const inView = before?.tools === tools ? views.get(tools)?.inView : undefined;
      if (inView) return inView;
      const held = hold(tools);
      if (before) letGo(before.tools);
      for (const [other, { tools: theirs, usedAt }] of places) {
        if (places.size <= MAX_CALLERS && at - usedAt <= FORGET_AFTER_MS) break;
        places.delete(other);
        letGo(theirs);
      }
      return held;
    },
    keysOf: (tool) => byTool.get(tool) ?? [],
  };
}

const placeOf = ({ principal, channel, session, exposure }: Caller) =>
  JSON.stringify([principal.id, channel, session, exposure]);

function parametersOf(schema: Json | undefined): string[] {
  const properties = isObject(schema) ? schema["properties"] : undefined;
  if (!isObject(properties)) return [];
  return Object.entries(properties)
    .slice(0, MAX_PARAMETERS)
    .map(([name, property]) => {
      const description = isObject(property) ? property["description"] : undefined;
      return typeof description === "string" ? `${name} ${description.slice(0, PARAMETER_CHARS)}` : name;
    });
}

const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
