import {
  createItem,
  removeItem,
  updateItem,
  type ItemRemoval,
  type ItemUpdate,
  type BodyText,
  type NewItem,
} from "./item-writes.ts";
import type { KeptResult, SealedSecret, Signal } from "../store.ts";
import type { ItemRow } from "./rows.ts";
import type { Run } from "./run.ts";

export interface ChannelRow {
  id: string;
  principal: string;
  protocolVersion: string;
  initialize: string;
  logLevel: string | null;
  subscriptions: string;
  createdAt: string;
  expiresAt: string;
}

export interface CallRow {
  id: string;
  at: string;
  name: string;
  principal: string;
  record: string;
}

/** What the main thread may ask of the writing thread. Everything crosses the threads by structured clone. */
export interface Writes {
  createItem: { takes: NewItem; gives: ItemRow };
  updateItem: { takes: ItemUpdate; gives: { row: ItemRow; kept: BodyText | null } };
  removeItem: { takes: ItemRemoval; gives: ItemRow };
  appendCalls: { takes: CallRow[]; gives: null };
  /** Deletes at most `most` of the oldest, so that no one write holds the lock for long. */
  pruneCalls: { takes: { before: string; most: number }; gives: number };
  putChannel: { takes: ChannelRow; gives: null };
  touchChannel: { takes: { id: string; expiresAt: string }; gives: null };
  removeChannel: { takes: { id: string }; gives: null };
  pruneChannels: { takes: { now: string }; gives: string[] };
  putSecret: { takes: SealedSecret; gives: null };
  removeSecret: { takes: { name: string }; gives: boolean };
  /** The oldest of the same principal make room, so that all of them together are at most `maxBytes`. */
  putResult: { takes: { result: KeptResult; text: Uint8Array; maxBytes: number }; gives: null };
  /** Deletes at most `most`. */
  pruneResults: { takes: { now: string; most: number }; gives: number };
  putList: { takes: { server: string; digest: string; text: Uint8Array }; gives: null };
  removeList: { takes: { server: string }; gives: null };
  addSignals: { takes: readonly Signal[]; gives: null };
  pruneSignals: { takes: { keep: number }; gives: null };
  /** Keeps `key` unless there is one; gives the one that is kept. */
  keepKey: { takes: { name: string; key: Uint8Array; at: string }; gives: Uint8Array };
  /** Changes nothing, but really writes: for migrations, and to see whether the disk is well again. */
  probe: { takes: null; gives: null };
}
export type WriteName = keyof Writes;
export type WriteRequest<K extends WriteName = WriteName> = { [N in K]: { name: N; takes: Writes[N]["takes"] } }[K];

interface Spec<K extends WriteName> {
  /** Survives a power cut once acknowledged (an fsync per batch). The others survive a crash of the process only. */
  isDurable: boolean;
  perform(run: Run, takes: Writes[K]["takes"]): Writes[K]["gives"];
}

export const WRITES: { readonly [K in WriteName]: Spec<K> } = {
  createItem: { isDurable: true, perform: createItem },
  updateItem: { isDurable: true, perform: updateItem },
  removeItem: { isDurable: true, perform: removeItem },
  appendCalls: {
    isDurable: false,
    perform(run, calls) {
      for (const { id, at, name, principal, record } of calls)
        run(
          "INSERT INTO calls (id, at, name, principal, record) VALUES (?, ?, ?, ?, ?)",
          id,
          at,
          name,
          principal,
          record,
        );
      return null;
    },
  },
  pruneCalls: {
    isDurable: false,
    perform: (run, { before, most }) =>
      run(
        "DELETE FROM calls WHERE seq IN (SELECT seq FROM calls WHERE at < ? ORDER BY at LIMIT ?) RETURNING seq",
        before,
        most,
      ).length,
  },
  putChannel: {
    isDurable: false,
    perform(run, channel) {
      run(
        `INSERT OR REPLACE INTO channels
           (id, principal, protocol_version, initialize, log_level, subscriptions, created_at, expires_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        channel.id,
        channel.principal,
        channel.protocolVersion,
        channel.initialize,
        channel.logLevel,
        channel.subscriptions,
        channel.createdAt,
        channel.expiresAt,
      );
      return null;
    },
  },
  touchChannel: {
    isDurable: false,
    perform(run, { id, expiresAt }) {
      run("UPDATE channels SET expires_at = max(expires_at, ?) WHERE id = ?", expiresAt, id);
      return null;
    },
  },
  removeChannel: {
    isDurable: false,
    perform(run, { id }) {
      run("DELETE FROM channels WHERE id = ?", id);
      return null;
    },
  },
  pruneChannels: {
    isDurable: false,
    perform: (run, { now }) =>
      run("DELETE FROM channels WHERE expires_at <= ? RETURNING id", now).map((row) => String(row["id"])),
  },
  putSecret: {
    isDurable: true,
    perform(run, { name, sealed, updatedAt }) {
      run("INSERT OR REPLACE INTO secrets (name, sealed, updated_at) VALUES (?, ?, ?)", name, sealed, updatedAt);
      return null;
    },
  },
  removeSecret: {
    isDurable: true,
    perform: (run, { name }) => run("DELETE FROM secrets WHERE name = ? RETURNING name", name).length > 0,
  },
  putResult: { isDurable: false, perform: putResult },
  pruneResults: {
    isDurable: false,
    perform: (run, { now, most }) =>
      run(
        "DELETE FROM results WHERE seq IN (SELECT seq FROM results WHERE expires_at <= ? LIMIT ?) RETURNING seq",
        now,
        most,
      ).length,
  },
  putList: {
    isDurable: false,
    perform(run, { server, digest, text }) {
      run("INSERT OR REPLACE INTO lists (server, digest, text) VALUES (?, ?, ?)", server, digest, text);
      return null;
    },
  },
  removeList: {
    isDurable: false,
    perform(run, { server }) {
      run("DELETE FROM lists WHERE server = ?", server);
      return null;
    },
  },
  addSignals: {
    isDurable: false,
    perform(run, signals) {
      for (const { query, tool, at } of signals)
        run(
          `INSERT INTO signals (query, tool, at) VALUES (?, ?, ?)
           ON CONFLICT (query, tool) DO UPDATE SET at = max(at, excluded.at)`,
          query,
          tool,
          at,
        );
      return null;
    },
  },
  pruneSignals: {
    isDurable: false,
    perform(run, { keep }) {
      run("DELETE FROM signals WHERE seq NOT IN (SELECT seq FROM signals ORDER BY at DESC, seq DESC LIMIT ?)", keep);
      return null;
    },
  },
  keepKey: {
    isDurable: true,
    perform(run, { name, key, at }) {
      run("INSERT OR IGNORE INTO keys (name, key, created_at) VALUES (?, ?, ?)", name, key, at);
      return run("SELECT key FROM keys WHERE name = ?", name)[0]?.["key"] as Uint8Array;
    },
  },
  probe: {
    isDurable: true,
    perform(run) {
      run("INSERT OR REPLACE INTO keys (name, key, created_at) VALUES ('probe', x'00', '')");
      run("DELETE FROM keys WHERE name = 'probe'");
      return null;
    },
  },
};

function putResult(run: Run, { result, text, maxBytes }: Writes["putResult"]["takes"]): null {
  run(
    `DELETE FROM results WHERE seq IN (
       SELECT seq FROM (SELECT seq, sum(bytes) OVER (ORDER BY seq DESC) AS total FROM results WHERE principal = ?)
       WHERE total > ?)`,
    result.principal,
    maxBytes - text.byteLength,
  );
  run(
    `INSERT OR REPLACE INTO results
       (handle, principal, tool, mime_type, created_at, expires_at, chars, bytes, text)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    result.handle,
    result.principal,
    result.tool,
    result.mimeType,
    result.createdAt,
    result.expiresAt,
    result.chars,
    text.byteLength,
    text,
  );
  return null;
}
