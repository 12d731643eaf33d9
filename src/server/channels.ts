import { randomUUID } from "node:crypto";
import type { Principal } from "../core/caller.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { LOG_LEVELS, type Logger } from "../core/source.ts";
import type { Channel, ChannelStore } from "../store/store.ts";
import { readCan, readClient } from "./client-can.ts";
import type { ClientMemory } from "./exchange.ts";
import { OpenChannel, subscribed } from "./open-channel.ts";

/** Rows are moved forward, and looked for, at most this often. */
const TOUCH_MS = 60_000;

/**
 * The MCP sessions of the older era. Each is a row in the store before its client hears of it, so any process on the
 * store can go on with it; what a process holds of one is a memory of that row, made when the client comes by.
 */
export function createChannels({
  store,
  maxChannels,
  idleMs,
  now,
  log,
}: {
  store: ChannelStore;
  /** All processes on the store together. */
  maxChannels: number;
  idleMs: number;
  /** Milliseconds since the epoch. */
  now: () => number;
  log: Logger;
}) {
  const open = new Map<string, OpenChannel>();
  const iso = (at: number) => new Date(at).toISOString();
  let opening = 0;

  const sweep = setInterval(() => {
    for (const channel of open.values()) {
      if (isExpired(channel)) forget(channel);
      else if (channel.isInUse) touch(channel).catch(() => {}); // ended elsewhere: touch has let go of it
    }
    store
      .prune(iso(now()))
      .catch((error: unknown) => log.warn({ err: error }, "old MCP sessions could not be removed"));
  }, TOUCH_MS).unref();

  /** Who listens or waits is not idle, however long nothing is asked. */
  function isExpired(channel: OpenChannel): boolean {
    return channel.expiresAt <= now() && !channel.isInUse;
  }

  function forget(channel: OpenChannel): void {
    open.delete(channel.id);
    channel.close();
  }

  /**
   * Those that are just being made count too, this one among them.
   *
   * @throws TOO_MANY_CHANNELS
   */
  async function assertRoom(): Promise<void> {
    try {
      if ((await store.count(iso(now()))) + opening <= maxChannels) return;
      await store.prune(iso(now()));
      if ((await store.count(iso(now()))) + opening <= maxChannels) return;
    } catch (error) {
      log.warn({ err: error }, "the store cannot count MCP sessions; this process counts its own");
      if (open.size + opening <= maxChannels) return;
    }
    throw new DynamicMcpError(
      "TOO_MANY_CHANNELS",
      `${maxChannels} MCP sessions are open; end one (HTTP DELETE) or wait until one expires`,
      { data: { limit: maxChannels } },
    );
  }

  /** What the store does not take stays in this process: a client is not turned away for a full disk. */
  async function save(channel: OpenChannel, row: Channel): Promise<void> {
    try {
      await store.put(row);
      channel.isStored = true;
    } catch (error) {
      channel.isStored = false;
      log.warn({ err: error, channel: channel.id }, "an MCP session could not be kept; it ends with this process");
    }
  }

  function adopt(row: Channel, principal: Principal): OpenChannel {
    const { capabilities, clientInfo } = JSON.parse(row.initialize) as JsonObject;
    const channel = new OpenChannel(
      row.id,
      principal,
      row.protocolVersion,
      readCan(capabilities),
      readClient(clientInfo),
    );
    channel.logLevel = LOG_LEVELS.find((level) => level === row.logLevel) ?? channel.logLevel;
    channel.subscriptions = row.subscriptions;
    channel.expiresAt = Date.parse(row.expiresAt);
    channel.touchedAt = now();
    open.set(row.id, channel);
    return channel;
  }

  function unknown(): DynamicMcpError {
    return new DynamicMcpError(
      "CHANNEL_NOT_FOUND",
      "there is no such MCP session, or it has expired; initialize again",
    );
  }

  async function load(id: string, principal: Principal): Promise<OpenChannel> {
    const row = await store.get(id, iso(now()));
    if (!row || row.principal !== principal.id) throw unknown();
    // Two requests may have looked at once: the first to come back made the channel.
    const channel = open.get(id) ?? adopt(row, principal);
    channel.isStored = true;
    return channel;
  }

  /** Once a minute: moves the expiry forward, and notices when another process has ended the session. */
  async function touch(channel: OpenChannel): Promise<OpenChannel> {
    channel.touchedAt = now();
    channel.expiresAt = now() + idleMs;
    if (!channel.isStored) return channel;
    try {
      await store.touch(channel.id, iso(channel.expiresAt));
      if (!(await store.get(channel.id, iso(now())))) {
        forget(channel);
        throw unknown();
      }
    } catch (error) {
      if (error instanceof DynamicMcpError && error.code === "CHANNEL_NOT_FOUND") throw error;
      log.warn({ err: error, channel: channel.id }, "the expiry of an MCP session could not be moved");
    }
    return channel;
  }

  async function change(channel: OpenChannel, apply: (row: Channel) => void): Promise<void> {
    if (!channel.isStored) return;
    const row = await store.get(channel.id, iso(now()));
    if (!row) return;
    apply(row);
    await save(channel, row);
  }

  return {
    /**
     * @param params of the `initialize` request
     * @throws TOO_MANY_CHANNELS
     */
    async open(principal: Principal, version: string, params: JsonObject): Promise<OpenChannel> {
      opening++;
      try {
        await assertRoom();
        const id = randomUUID();
        const { capabilities, clientInfo } = params;
        const channel = new OpenChannel(id, principal, version, readCan(capabilities), readClient(clientInfo));
        channel.expiresAt = now() + idleMs;
        channel.touchedAt = now();
        open.set(id, channel);
        await save(channel, {
          id,
          principal: principal.id,
          protocolVersion: version,
          initialize: JSON.stringify(keptOf(params)),
          subscriptions: [],
          createdAt: iso(now()),
          expiresAt: iso(channel.expiresAt),
        });
        return channel;
      } finally {
        opening--;
      }
    },

    /**
     * The channel with this id, from memory or from the store.
     *
     * @throws CHANNEL_NOT_FOUND when it is unknown, has expired or belongs to somebody else
     */
    find(id: string, principal: Principal): OpenChannel | Promise<OpenChannel> {
      const channel = open.get(id);
      if (!channel) return load(id, principal);
      if (channel.caller.principal.id !== principal.id) throw unknown();
      if (isExpired(channel)) {
        forget(channel);
        throw unknown();
      }
      return now() - channel.touchedAt > TOUCH_MS ? touch(channel) : channel;
    },

    async end(channel: OpenChannel): Promise<void> {
      forget(channel);
      if (channel.isStored) await store.remove(channel.id);
    },

    memoryOf(channel: OpenChannel): ClientMemory {
      return {
        async setLogLevel(level) {
          channel.logLevel = level;
          await change(channel, (row) => (row.logLevel = level));
        },
        async subscribe(uri) {
          const uris = subscribed(channel.subscriptions, uri);
          channel.subscriptions = uris;
          await change(channel, (row) => (row.subscriptions = [...uris]));
        },
        async unsubscribe(uri) {
          channel.subscriptions = [...channel.subscriptions].filter((each) => each !== uri);
          await change(channel, (row) => (row.subscriptions = [...channel.subscriptions]));
        },
      };
    },

    /** Held by this process. */
    count: () => open.size,

    all: (): Iterable<OpenChannel> => open.values(),

    /** Lets go of what this process holds; the rows stay, for the next one. */
    close(): void {
      clearInterval(sweep);
      for (const channel of [...open.values()]) forget(channel);
    },
  };
}

export type Channels = ReturnType<typeof createChannels>;

/** Of `initialize`, what another process needs; a client's extras are not worth a row of their own. */
function keptOf({ capabilities, clientInfo }: JsonObject): JsonObject {
  const client = readClient(clientInfo);
  return { capabilities: readCan(capabilities).declared ?? {}, ...(client ? { clientInfo: client } : {}) };
}
