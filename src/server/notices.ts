import type { Caller } from "../core/caller.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { ItemKind } from "../core/item.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import type { Surface } from "../surface/surface.ts";
import type { Exchange, NoticeOutlet } from "./exchange.ts";
import { resultReply } from "./json-rpc.ts";
import { assertUriLength, invalidParams, META } from "./protocol.ts";
import type { Implementation } from "./results.ts";

/** Changes that come within this time are one notice. */
const DEBOUNCE_MS = 30;

type ListChange = "tools" | "prompts" | "resources";
const CHANGE_OF: Record<ItemKind, ListChange> = { tool: "tools", prompt: "prompts", resource: "resources", template: "resources" }; // prettier-ignore
const ALL_CHANGES: readonly ListChange[] = ["tools", "prompts", "resources"];

/** Somebody who wants to be told. */
interface Listener {
  caller: Caller;
  changes: ReadonlySet<ListChange>;
  wantsUri: (uri: string) => boolean;
  outlet: NoticeOutlet;
  /** Goes into the `_meta` of all it gets (2026-07-28). */
  meta: JsonObject | undefined;
  /** The view it was last told about: a change elsewhere is none for it. */
  version: string;
}

/**
 * Tells clients that lists or resources have changed: one notice for each change, only to those whose view has
 * changed. It keeps no list of clients at rest: who has no open stream is not told, and asks when it comes back.
 */
export function createNotices({
  surface,
  serverInfo,
  maxListeners,
}: {
  surface: Surface;
  serverInfo: Implementation;
  maxListeners: number;
}) {
  const listeners = new Set<Listener>();
  let waiting: Set<ListChange> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const ends = [
    surface.onChange((kinds) => {
      waiting ??= new Set();
      for (const kind of kinds) waiting.add(CHANGE_OF[kind]);
      timer ??= setTimeout(tellChanges, DEBOUNCE_MS).unref();
    }),
    surface.onResourceUpdated((uri) => {
      for (const each of listeners) if (each.wantsUri(uri)) tell(each, "notifications/resources/updated", { uri });
    }),
  ];

  function tellChanges(): void {
    const changes = ALL_CHANGES.filter((change) => waiting?.has(change));
    waiting = undefined;
    timer = undefined;
    for (const each of listeners) {
      const { version } = surface.view(each.caller);
      if (version === each.version) continue;
      each.version = version;
      for (const change of changes) {
        if (each.changes.has(change)) tell(each, `notifications/${change}/list_changed`, undefined);
      }
    }
  }

  function tell({ outlet, meta }: Listener, method: string, params: JsonObject | undefined): void {
    outlet.send(method, meta ? { ...params, _meta: meta } : (params ?? {}));
  }

  function assertRoom(): void {
    if (listeners.size < maxListeners) return;
    throw new DynamicMcpError(
      "OVERLOADED",
      `${maxListeners} streams of notices are open; close one or try again later`,
    );
  }

  function add(listener: Omit<Listener, "version">): () => void {
    const full = { ...listener, version: surface.view(listener.caller).version };
    listeners.add(full);
    return () => void listeners.delete(full);
  }

  return {
    /** @throws OVERLOADED */
    assertRoom,

    /** A client of the older era, told of everything; resources as `wantsUri` says at the time. */
    follow(caller: Caller, wantsUri: (uri: string) => boolean, outlet: NoticeOutlet): () => void {
      assertRoom();
      return add({ caller, changes: new Set(ALL_CHANGES), wantsUri, outlet, meta: undefined });
    },

    /**
     * `subscriptions/listen`: acknowledges what will be told and keeps the stream until either side ends it.
     *
     * @throws ProtocolError -32602, OVERLOADED
     */
    listen(exchange: Exchange): void {
      const filter = readFilter(exchange.params["notifications"]);
      const meta = { [META.subscriptionId]: exchange.id };
      const { caller, lane } = exchange;
      assertRoom();
      lane.listen((outlet) => {
        outlet.send("notifications/subscriptions/acknowledged", { notifications: filter.honoured, _meta: meta });
        const result = { resultType: "complete", _meta: { ...meta, [META.serverInfo]: serverInfo } };
        const finish = () => outlet.finish(resultReply(exchange.id, JSON.stringify(result)).head);
        if (Object.keys(filter.honoured).length === 0) {
          finish();
          return () => {};
        }
        const wantsUri = (uri: string) => filter.uris.has(uri);
        return add({ caller, changes: filter.changes, wantsUri, outlet: { ...outlet, finish }, meta });
      });
    },

    /** Ends every stream of notices as the protocol asks: with its last message. */
    close(): void {
      for (const end of ends) end();
      clearTimeout(timer);
      for (const { outlet } of [...listeners]) outlet.finish();
      listeners.clear();
    },

    open: () => listeners.size,
  };
}

export type Notices = ReturnType<typeof createNotices>;

const FLAGS: Record<string, ListChange> = {
  toolsListChanged: "tools",
  promptsListChanged: "prompts",
  resourcesListChanged: "resources",
};
const MAX_URIS = 1_000;

function readFilter(given: Json | undefined) {
  if (!isJsonObject(given)) throw invalidParams("`notifications` must be an object that says what to listen to");
  const honoured: JsonObject = {};
  const changes = new Set<ListChange>();
  for (const [flag, change] of Object.entries(FLAGS)) {
    const value = given[flag];
    if (value !== undefined && typeof value !== "boolean") throw invalidParams(`\`${flag}\` must be true or false`);
    if (value !== true) continue;
    honoured[flag] = true;
    changes.add(change);
  }
  const uris = readUris(given["resourceSubscriptions"]);
  if (uris.length > 0) honoured["resourceSubscriptions"] = uris;
  return { honoured, changes, uris: new Set(uris) };
}

function readUris(given: Json | undefined): string[] {
  if (given === undefined) return [];
  if (!Array.isArray(given) || !given.every((uri) => typeof uri === "string")) {
    throw invalidParams("`resourceSubscriptions` must be a list of URIs");
  }
  for (const uri of given) assertUriLength(uri);
  if (given.length > MAX_URIS) throw invalidParams(`at most ${MAX_URIS} resources may be listened to at once`);
  return given;
}
