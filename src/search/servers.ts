import type { SearchDocument } from "./search.ts";

/** The servers that documents are of, told apart by name and description, with the number of their documents. */
export interface Servers {
  /** Server numbers are below this; 0 is none. */
  readonly count: number;
  sizeOf(server: number): number;
  /** One more document of its server. @returns its number, and whether it is the first */
  add(document: SearchDocument): { server: number; isFirst: boolean };
  /** @returns whether that was the last */
  remove(server: number): boolean;
}

export function createServers(): Servers {
  const ids = new Map<string, number>();
  const keys: string[] = [""];
  const sizes: number[] = [0];
  const free: number[] = [];
  return {
    get count() {
      return sizes.length;
    },
    sizeOf: (server) => sizes[server] ?? 0,
    add({ server: name, serverDescription = "" }) {
      if (name === undefined || name === "") return { server: 0, isFirst: false };
      // Not by name alone: which description came last must not matter.
      const key = `${name}\0${serverDescription}`;
      const known = ids.get(key);
      if (known !== undefined) {
        sizes[known] = (sizes[known] ?? 0) + 1;
        return { server: known, isFirst: false };
      }
      const server = free.pop() ?? sizes.length;
      ids.set(key, server);
      keys[server] = key;
      sizes[server] = 1;
      return { server, isFirst: true };
    },
    remove(server) {
      if (server === 0) return false;
      sizes[server] = (sizes[server] ?? 1) - 1;
      if (sizes[server] !== 0) return false;
      ids.delete(keys[server] ?? "");
      free.push(server);
      return true;
    },
  };
}
