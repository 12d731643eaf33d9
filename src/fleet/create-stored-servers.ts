import { DynamicMcpError, hasCode } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { wireName } from "../core/names.ts";
import type { Logger } from "../core/source.ts";
import type { Change, ItemHead, Place, Store, StoredKind, Write } from "../store/store.ts";
import { serverNotFound } from "./not-found.ts";
import type { StoredServer, StoredServers, StoredServersFollower } from "./stored-servers.ts";

export interface StoredServersOptions {
  store: Pick<Store, "items" | "changes">;
  /** Who writes: an id of a principal. */
  owner: string;
  maxServers: number;
  isReadOnly?: boolean;
  log: Logger;
  now: () => number;
}

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;
const NAME_RULE = "a letter, digit or underscore, then up to 63 letters, digits, dots, underscores or hyphens";
const MAX_DEFINITION_CHARS = 262_144;
const RETRY_MS = 1_000;

export function createStoredServers(options: StoredServersOptions): StoredServers {
  const { store, owner, log, now } = options;
  const place: Place = { reach: "shared", owner };
  const following = new Set<ReturnType<typeof follow>>();
  const write = (change: string): Write => ({ author: owner, at: new Date(now()).toISOString(), change });

  async function list(): Promise<StoredServer[]> {
    const read = await Promise.all((await store.items.list("server")).map(readOne));
    return read.filter((each) => each !== undefined).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async function readOne(head: ItemHead): Promise<StoredServer | undefined> {
    const item = await store.items.get(head.id);
    if (!item) return undefined; // removed meanwhile
    const { name, updatedAt, quarantine } = item;
    if (quarantine === undefined) return { name, definition: item.body, updatedAt };
    return { name, definition: null, problem: `the stored definition is damaged: ${quarantine}`, updatedAt };
  }

  async function get(name: string): Promise<StoredServer | undefined> {
    const item = await find("server", name);
    return item && (await readOne(item));
  }

  /** One has a place in what everybody shares, whoever made it. */
  async function find(kind: StoredKind, name: string): Promise<ItemHead | undefined> {
    const heads = await store.items.list(kind);
    return heads.find((head) => head.key === wireName(name));
  }

  async function put(name: string, definition: JsonObject, { replace = false } = {}): Promise<"added" | "replaced"> {
    assertWritable();
    if (!NAME.test(name)) throw new DynamicMcpError("INVALID_NAME", `${JSON.stringify(name.slice(0, 80))} cannot be the name of a server: use ${NAME_RULE}`); // prettier-ignore
    const chars = JSON.stringify(definition).length;
    if (chars > MAX_DEFINITION_CHARS) throw new DynamicMcpError("TOO_LARGE", `the definition has ${chars} characters; at most ${MAX_DEFINITION_CHARS} are kept`); // prettier-ignore
    const known = await find("server", name);
    if (known && !replace) throw taken(known.name);
    try {
      const body = definition;
      if (known) await store.items.update(known.id, { name, body, summary: "{}", isEnabled: true }, write("update"));
      else await store.items.create({ ...place, kind: "server", name, key: wireName(name), isEnabled: true, summary: "{}", body }, write("create"), options.maxServers); // prettier-ignore
    } catch (error) {
      if (hasCode(error, "NAME_TAKEN")) throw taken(name);
      if (!hasCode(error, "TOOL_LIMIT")) throw error;
      throw new DynamicMcpError("SERVER_LIMIT", `${options.maxServers} servers are kept already, as many as may be; remove one`); // prettier-ignore
    }
    await told();
    return known ? "replaced" : "added";
  }

  async function remove(name: string): Promise<void> {
    assertWritable();
    const known = await find("server", name);
    if (!known) throw serverNotFound(name, (await store.items.list("server")).map((head) => head.name)); // prettier-ignore
    await store.items.remove(known.id, write("remove"));
    await told();
  }

  async function restart(name: string): Promise<void> {
    const known = await find("restart", name);
    const body = { at: new Date(now()).toISOString() };
    if (known) await store.items.update(known.id, { body }, write("restart"));
    else await store.items.create({ ...place, kind: "restart", name, key: wireName(name), isEnabled: true, summary: "{}", body }, write("restart")); // prettier-ignore
  }

  /** What was written here is applied here when the answer comes. */
  async function told(): Promise<void> {
    await Promise.all([...following].map((each) => each.read()));
  }

  function follow(follower: StoredServersFollower) {
    let isClosed = false;
    let retry: NodeJS.Timeout | undefined;
    let reading = Promise.resolve();

    /** One after the other, so that the newest is told last. */
    const read = (): Promise<void> =>
      (reading = reading.then(async () => {
        if (isClosed) return;
        try {
          await follower.onServers(await list());
        } catch (error) {
          if (isClosed) return;
          log.warn({ err: error }, "the servers of the store could not be read; trying again");
          clearTimeout(retry);
          retry = setTimeout(() => void read(), RETRY_MS).unref();
        }
      }));

    const tellRestart = async ({ item }: Change) => {
      try {
        const { name, quarantine } = (await store.items.get(item)) ?? {};
        if (name !== undefined && quarantine === undefined && !isClosed) follower.onRestart(name);
      } catch (error) {
        log.warn({ err: error }, "a request to restart a server could not be read");
      }
    };

    const end = store.changes.subscribe((changes) => {
      if (changes.some(({ kind }) => kind === "server")) void read();
      const restarts = changes.filter(({ kind, action }) => kind === "restart" && action === "put");
      for (const change of new Map(restarts.map((each) => [each.item, each])).values()) void tellRestart(change);
    });
    const one = {
      read,
      close() {
        isClosed = true;
        clearTimeout(retry);
        end();
        following.delete(one);
      },
    };
    following.add(one);
    void read();
    return one;
  }

  function assertWritable(): void {
    if (options.isReadOnly) throw new DynamicMcpError("READ_ONLY", "the operator allows no changes (MCP_DYNAMIC_READ_ONLY)"); // prettier-ignore
  }

  return { list, get, put, remove, restart, follow };
}

function taken(name: string): DynamicMcpError {
  return new DynamicMcpError("NAME_TAKEN", `there is a server ${JSON.stringify(name)} already; --force replaces it`, { data: { name } }); // prettier-ignore
}
