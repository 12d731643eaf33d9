import type { Caller } from "../core/caller.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { ItemKind } from "../core/item.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { LOG_LEVELS, type LogLevel } from "../core/source.ts";
import type { Surface, View } from "../surface/surface.ts";
import type { Exchange, NoticeOutlet } from "./exchange.ts";
import { resultReply } from "./json-rpc.ts";
import { assertUriLength, invalidParams, META } from "./protocol.ts";
import type { Implementation } from "./results.ts";
import { Watches } from "./watches.ts";

/** Changes that come within this time are one notice. */
const DEBOUNCE_MS = 30;

type ListChange = "tools" | "prompts" | "resources";
const CHANGE_OF: Record<ItemKind, ListChange> = { tool: "tools", prompt: "prompts", resource: "resources", template: "resources" }; // prettier-ignore
const ALL_CHANGES: readonly ListChange[] = ["tools", "prompts", "resources"];

/** What of a client of the older era decides what it is told. */
export interface Follower {
  readonly subscriptions: ReadonlySet<string>;
  /** Log lines below this are not sent. */
  readonly logLevel: LogLevel;
}

/** A client that is being told. */
export interface Following {
  /** Its subscriptions have changed. */
  update(): void;
  end(): void;
}

/** Somebody who wants to be told. */
interface Listener {
  caller: Caller;
  changes: ReadonlySet<ListChange>;
  uris: () => ReadonlySet<string>;
  /** Undefined when log lines have no place on its stream. */
  logLevel: (() => LogLevel) | undefined;
  outlet: NoticeOutlet;
  /** Goes into the `_meta` of all it gets (2026-07-28). */
  meta: JsonObject | undefined;
  /** The lists it was last told about: a change elsewhere is none for it. */
  versions: Record<ListChange, string>;
  watches: Watches;
}

/**
 * Tells clients that lists or resources have changed: one notice for each change, only to those whose own lists have
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
  /** Those whose stream takes log lines; a channel has one stream at most. */
  const byChannel = new Map<string, Listener>();
  let waiting: Set<ListChange> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const ends = [
    surface.onChange((kinds) => {
      waiting ??= new Set();
      for (const kind of kinds) waiting.add(CHANGE_OF[kind]);
      timer ??= setTimeout(tellChanges, DEBOUNCE_MS).unref();
    }),
    surface.onResourceUpdated((uri) => {
      for (const each of listeners) if (each.uris().has(uri)) tell(each, "notifications/resources/updated", { uri });
    }),
    surface.onMessage((message) => {
      const listener = byChannel.get(message.channel);
      if ("elicitationId" in message) {
        const { elicitationId } = message;
        if (listener) tell(listener, "notifications/elicitation/complete", { elicitationId });
        return;
      }
      const { level, logger, data } = message;
      const from = listener?.logLevel?.();
      if (!listener || !from || LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(from)) return;
      tell(listener, "notifications/message", { level, ...(logger === undefined ? {} : { logger }), data });
    }),
  ];

  function tellChanges(): void {
    const changes = ALL_CHANGES.filter((change) => waiting?.has(change));
    waiting = undefined;
    timer = undefined;
    for (const each of listeners) {
      const view = surface.view(each.caller);
      if (changes.includes("resources")) each.watches.renew();
      for (const change of changes) {
        const version = versionOf(view, change);
        if (version === each.versions[change]) continue;
        each.versions[change] = version;
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

  function add(listener: Omit<Listener, "versions" | "watches">): Following {
    const { caller, uris, logLevel } = listener;
    const view = surface.view(caller);
    const versions = {
      tools: versionOf(view, "tools"),
      prompts: versionOf(view, "prompts"),
      resources: versionOf(view, "resources"),
    };
    const full: Listener = { ...listener, versions, watches: new Watches(surface, caller) };
    listeners.add(full);
    if (logLevel && caller.channel !== undefined) byChannel.set(caller.channel, full);
    full.watches.set(uris());
    return {
      update: () => void (listeners.has(full) && full.watches.set(uris())),
      end: () => forget(full),
    };
  }

  function forget(listener: Listener): void {
    const { channel } = listener.caller;
    listeners.delete(listener);
    if (channel !== undefined && byChannel.get(channel) === listener) byChannel.delete(channel);
    listener.watches.close();
  }

  return {
    /** @throws OVERLOADED */
    assertRoom,

    /**
     * A client of the older era, told of everything.
     *
     * @throws OVERLOADED
     */
    follow(caller: Caller, follower: Follower, outlet: NoticeOutlet): Following {
      assertRoom();
      return add({
        caller,
        changes: new Set(ALL_CHANGES),
        uris: () => follower.subscriptions,
        logLevel: () => follower.logLevel,
        outlet,
        meta: undefined,
      });
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
        const { changes, uris } = filter;
        // Log lines go with requests in 2026-07-28, never with a subscription.
        return add({ caller, changes, uris: () => uris, logLevel: undefined, outlet: { ...outlet, finish }, meta }).end;
      });
    },

    /** Ends every stream of notices as the protocol asks: with its last message. */
    close(): void {
      for (const end of ends) end();
      clearTimeout(timer);
      for (const listener of [...listeners]) {
        listener.outlet.finish();
        forget(listener);
      }
    },

    open: () => listeners.size,
  };
}

export type Notices = ReturnType<typeof createNotices>;

function versionOf(view: View, change: ListChange): string {
  switch (change) {
    case "tools":
      return view.listVersion("tool");
    case "prompts":
      return view.listVersion("prompt");
    case "resources":
      return `${view.listVersion("resource")} ${view.listVersion("template")}`;
  }
}

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
