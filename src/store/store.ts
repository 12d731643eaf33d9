import type { CallRecord } from "../core/call.ts";
import type { Json } from "../core/json.ts";

/**
 * What is remembered. One port, several backends (SQLite now, PostgreSQL later), one contract suite
 * (`store.contract.ts`).
 *
 * All methods may throw STORE_UNAVAILABLE: nothing was changed, it is safe to try again.
 * Writes asked for in one turn are made together; one that is refused undoes nothing but itself. A write that was
 * answered survives a crash of this process; writes of items, secrets and keys survive a power cut too.
 * Reads never wait for writers. Times are ISO 8601 in UTC. Texts come back as they went in, byte for byte;
 * those with the character NUL, which not every backend can hold, are refused with INVALID_ARGUMENTS (JSON escapes it).
 */
export interface Store {
  readonly items: ItemStore;
  readonly calls: CallStore;
  readonly channels: ChannelStore;
  readonly secrets: SecretStore;
  readonly results: ResultStore;
  readonly lists: ListStore;
  readonly signals: SignalStore;
  readonly changes: ChangeFeed;

  /**
   * A random key that all processes on this store share, made at its first use (32 bytes).
   * For signatures that another process must be able to check.
   */
  sharedKey(name: string): Promise<Uint8Array>;

  health(): Promise<StoreHealth>;

  /** Waits for writes under way, then lets go of everything. Safe to call twice. */
  close(): Promise<void>;
}

export interface StoreHealth {
  backend: "sqlite" | "postgres" | "memory";
  /** Where it is, without credentials. */
  location: string;
  schemaVersion: number;
  isWritable: boolean;
  /** Why it is not writable, or what is wrong with it. A failed disk is tried again now and then when asked. */
  problem?: string;
  items: number;
  quarantined: number;
}

/**
 * Kinds of things that people make and keep. `import` remembers a file that was taken over once; `restart` is written
 * anew to have every process on the store connect to the server of that name again.
 */
export type StoredKind = "tool" | "server" | "prompt" | "profile" | "import" | "restart";

/** Whom an item reaches: everybody, its owner, or one session. */
export type Reach = "shared" | "user" | "session";

/** Where a live name is unique. `owner` is a principal id; `session` is set when the reach is `session`. */
export interface Place {
  reach: Reach;
  owner: string;
  session?: string | undefined;
}

/**
 * An item without its body: what lists need. `summary` is JSON text, so that ten thousand of them cost no parsing
 * at start; the store does not look inside.
 */
export interface ItemHead extends Place {
  /** Made by the store: 26 characters, sortable by creation time. */
  id: string;
  kind: StoredKind;
  name: string;
  /** Names with the same key are the same name in one place. */
  key: string;
  /** Number of the newest revision, from 1. */
  revision: number;
  isEnabled: boolean;
  createdAt: string;
  updatedAt: string;
  summary: string;
  /**
   * Set when the row could not be read: why. Such an item is listed for repair (its `summary` is `{}`) and never used;
   * `update` with a whole body and summary heals it. A list looks at texts and values; that a body does not match its
   * digest shows when the body is first read.
   */
  quarantine?: string | undefined;
}

export interface StoredItem extends ItemHead {
  body: Json;
  /** sha-256 of the canonical body, hex. */
  digest: string;
  author: string;
}

export interface Revision {
  item: string;
  n: number;
  name: string;
  isEnabled: boolean;
  summary: string;
  body: Json;
  digest: string;
  author: string;
  at: string;
  /** What kind of write made it, for people: `create`, `update`, `enable`, `disable`, `rollback to 3`, `import`. */
  change: string;
  /** Set when it could not be read: why. Its `body` is null and its `summary` is `{}`. */
  quarantine?: string | undefined;
}

export interface ItemDraft extends Place {
  kind: StoredKind;
  name: string;
  key: string;
  isEnabled: boolean;
  summary: string;
  body: Json;
}

export interface Write {
  author: string;
  at: string;
  change: string;
}

export interface ItemStore {
  /** Live items of a kind in ascending order of `key`; quarantined ones included. */
  list(kind: StoredKind): Promise<ItemHead[]>;

  /** How many live items of a kind there are. */
  count(kind: StoredKind): Promise<number>;

  /** A live item with the body of its newest revision. With `quarantine` set, `body` is null: check before use. */
  get(id: string): Promise<StoredItem | undefined>;

  find(kind: StoredKind, key: string, place: Place): Promise<StoredItem | undefined>;

  /**
   * Keeps a new item at revision 1.
   *
   * @param max most live items of this kind, counted in the same transaction
   * @throws NAME_TAKEN when a live item in the same place has the same key (`data.name`: its name)
   * @throws TOOL_LIMIT when there are already `max` (`data.max`)
   */
  create(draft: ItemDraft, write: Write, max?: number): Promise<StoredItem>;

  /**
   * Adds a revision. Fields that are absent stay as they are.
   *
   * @param expectedRevision if given, the write happens only when the newest revision still is this one
   * @throws REVISION_CONFLICT with `data.current` and `data.expected`
   * @throws STORE_DAMAGED when a field that would stay as it is cannot be read
   * @throws TOOL_NOT_FOUND when there is no such live item
   * @throws NAME_TAKEN when renamed to a name that is taken
   */
  update(
    id: string,
    change: { name?: string; key?: string; isEnabled?: boolean; summary?: string; body?: Json },
    write: Write,
    expectedRevision?: number,
  ): Promise<StoredItem>;

  /**
   * Takes an item out of every list. Its revisions stay readable by id.
   *
   * @throws REVISION_CONFLICT, TOOL_NOT_FOUND as `update`
   */
  remove(id: string, write: Write, expectedRevision?: number): Promise<ItemHead>;

  /** Newest first. */
  revisions(id: string, options: { limit: number; before?: number }): Promise<Revision[]>;

  revision(id: string, n: number): Promise<Revision | undefined>;
}

export interface CallStore {
  /** Keeps records in one write, in this order. They may be lost when the process is killed before this returns. */
  append(records: readonly CallRecord[]): Promise<void>;

  /**
   * Newest first, by the time of their receipt. Records that cannot be read are passed over.
   *
   * @param options `tool`: only records with this very `name`; `since`: received then or later
   */
  recent(options: { limit: number; tool?: string; since?: string }): Promise<CallRecord[]>;

  /** Deletes records received before `before`, in several small writes. @returns how many */
  prune(before: string): Promise<number>;
}

/** One client's older-era MCP session, kept so that another process can go on with it. */
export interface Channel {
  id: string;
  principal: string;
  protocolVersion: string;
  /** The `initialize` request's params as JSON text: capabilities and client info. */
  initialize: string;
  /** Set by `logging/setLevel`. */
  logLevel?: string | undefined;
  /** Resource URIs this channel subscribed to. */
  subscriptions: string[];
  createdAt: string;
  /** After this moment the channel is unknown. Moved forward with use, at most once a minute. */
  expiresAt: string;
}

export interface ChannelStore {
  /** Makes or replaces a channel. */
  put(channel: Channel): Promise<void>;
  /** A channel that has not expired. */
  get(id: string, now: string): Promise<Channel | undefined>;
  /** Moves `expiresAt` forward; unknown ids are passed over. */
  touch(id: string, expiresAt: string): Promise<void>;
  remove(id: string): Promise<void>;
  count(now: string): Promise<number>;
  /** @returns ids of those deleted */
  prune(now: string): Promise<string[]>;
}

/** A secret as it is kept: sealed before it comes here. The store could not read it. */
export interface SealedSecret {
  name: string;
  sealed: Uint8Array;
  updatedAt: string;
}

export interface SecretStore {
  get(name: string): Promise<SealedSecret | undefined>;
  /** In ascending order of `name`. */
  list(): Promise<Omit<SealedSecret, "sealed">[]>;
  /** Makes or replaces one. */
  put(secret: SealedSecret): Promise<void>;
  /** @returns whether there was one */
  remove(name: string): Promise<boolean>;
}

/** A result that was too large to be answered whole. */
export interface KeptResult {
  handle: string;
  /** Whose it is: nobody else finds it. */
  principal: string;
  /** Name of the tool that gave it. */
  tool: string;
  mimeType: string;
  createdAt: string;
  /** After this moment it is unknown. */
  expiresAt: string;
  /** In characters (UTF-16 code units). */
  chars: number;
}

export interface ResultStore {
  /**
   * @param options.maxBytes of all results of this principal together (UTF-8): the oldest make room
   * @throws TOO_LARGE when it alone is larger
   */
  put(result: KeptResult, text: string, options: { maxBytes: number }): Promise<void>;
  get(handle: string, principal: string, now: string): Promise<(KeptResult & { text: string }) | undefined>;
  /** Deletes those that have expired. @returns how many */
  prune(now: string): Promise<number>;
}

/** What other servers listed when they were last asked, so that a start need not ask. Losing it costs nothing but time. */
export interface ListStore {
  /** @param digest of the server's definition and the credentials it was asked with */
  get(server: string, digest: string): Promise<string | undefined>;
  /** Makes or replaces; other digests of the same server are forgotten. */
  put(server: string, digest: string, text: string): Promise<void>;
  remove(server: string): Promise<void>;
}

/** Searches that led to a call that worked. */
export interface Signal {
  query: string;
  /** Of the tool; stable over restarts. */
  tool: string;
  at: string;
}

export interface SignalStore {
  /** A pair of query and tool is kept once, with the newest time. */
  add(signals: readonly Signal[]): Promise<void>;
  /** Newest first. */
  recent(limit: number): Promise<Signal[]>;
  /** Keeps the newest `keep`. */
  prune(keep: number): Promise<void>;
}

export interface Change {
  /** Grows with every change; holes are possible. */
  seq: number;
  topic: "items";
  kind: StoredKind;
  item: string;
  action: "put" | "remove";
}

/**
 * What changed, by whichever process. A change says "look again", it is not the truth itself.
 */
export interface ChangeFeed {
  /**
   * Calls `listener` after a commit: at once for our own, within a second for those of other processes; in order,
   * several in one call when they came together; none twice, none lost. The first subscriber starts the watching.
   */
  subscribe(listener: (changes: readonly Change[]) => void): () => void;
}
