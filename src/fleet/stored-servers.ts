import type { Json, JsonObject } from "../core/json.ts";

/** Servers that were added by command: kept in the store as they were typed, variables and all. */
export interface StoredServers {
  /** In ascending order of name. */
  list(): Promise<readonly StoredServer[]>;

  get(name: string): Promise<StoredServer | undefined>;

  /**
   * Keeps a definition. Returns when those who follow in this process have been told.
   *
   * @param replace whether one of this name may be replaced
   * @throws INVALID_NAME, NAME_TAKEN (`data.name`), SERVER_LIMIT, TOO_LARGE, READ_ONLY
   */
  put(name: string, definition: JsonObject, options?: { replace?: boolean }): Promise<"added" | "replaced">;

  /** @throws SERVER_NOT_FOUND, with the nearest name */
  remove(name: string): Promise<void>;

  /** Tells every process on the store, this one too, to connect to a server again; wherever it is defined. */
  restart(name: string): Promise<void>;

  /** Tells what is kept, now and after every change. Reading goes on until it works. */
  follow(followers: StoredServersFollower): { close(): void };
}

export interface StoredServer {
  name: string;
  /** As the member of `mcpServers` in a file; null when the row is damaged. */
  definition: Json;
  /** Why it cannot be read. */
  problem?: string;
  updatedAt: string;
}

export interface StoredServersFollower {
  onServers(servers: readonly StoredServer[]): void | Promise<void>;
  onRestart(name: string): void;
}
