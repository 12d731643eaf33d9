import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"; // prettier-ignore
import { chmod, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ensureFolder } from "../files.ts";
import { removeIfDead, tryLock, unlock } from "./folder-locks.ts";
import { isAlive, ownOwner } from "./owner.ts";

/**
 * The folder that layers are kept in, shared by processes of one machine that know of each other only through it. Not by
 * containers: they do not see whether each other's processes live.
 *
 *     layers/<key>/node_modules    never written again; comes into being by one rename
 *     layers/<key>/layer.json      what is in it; its time is that of the last use
 *     leases/<key>/<owner>         a process that uses it
 *     locks/<key>                  holds the owner who makes, takes or removes it
 *     work/<owner>.<random>        what an owner makes or removes
 *
 * An owner that has died counts for nothing, so whatever `kill -9` leaves behind is found by its name.
 */
export interface LayerFolder {
  find(key: string): FoundLayer | undefined;
  list(): KeptLayer[];
  /** @returns false while a live process has it */
  tryLock(key: string): boolean;
  unlock(key: string): void;
  /** This process uses the layer. Only under the lock, so that nobody removes it meanwhile. */
  lease(key: string): void;
  unlease(key: string): void;
  /** A folder for what is being made. @throws errors of the file system */
  newWork(): string;
  /** Makes a layer of a folder of ours, at once. One that is there already stays. Only under the lock. */
  adopt(folder: string, key: string, facts: LayerFacts): FoundLayer;
  /** Takes a layer away if nobody uses it. @returns where it is now, to be removed */
  take(key: string): string | undefined;
  /** Removes a tree that may be read-only. Never throws: what stays is found again. */
  remove(path: string): Promise<void>;
  /** Removes what dead processes left behind. */
  removeLeftovers(): Promise<void>;
}

export interface LayerFacts {
  bytes: number;
  files: number;
}

export interface FoundLayer extends LayerFacts {
  folder: string;
}

export interface KeptLayer extends FoundLayer {
  key: string;
  usedAtMs: number;
}

export function openLayerFolder(root: string): LayerFolder {
  const me = ownOwner();
  const at = (...parts: string[]) => join(root, ...parts);
  const isKey = (name: string) => /^[0-9a-f]{64}$/.test(name);

  function find(key: string): FoundLayer | undefined {
    const folder = at("layers", key);
    try {
      const { bytes, files } = JSON.parse(readFileSync(join(folder, "layer.json"), "utf8")) as LayerFacts;
      return { folder, bytes, files };
    } catch {
      return undefined;
    }
  }

  function isLeased(key: string): boolean {
    return names(at("leases", key)).some((owner) => {
      const lives = isAlive(owner);
      if (!lives) rmSync(at("leases", key, owner), { force: true });
      return lives;
    });
  }

  /** In the folder of what an owner makes or removes; found by its name if we die. */
  function newName(): string {
    ensureFolder(at("work"), 0o700);
    return at("work", `${me}.${randomBytes(6).toString("hex")}`);
  }

  function newWork(): string {
    const folder = newName();
    ensureFolder(folder, 0o700);
    return folder;
  }

  async function remove(path: string): Promise<void> {
    await makeWritable(path).catch(() => {});
    await rm(path, { recursive: true, force: true }).catch(() => {});
  }

  return {
    find,
    list() {
      return names(at("layers")).filter(isKey).flatMap((key) => {
        const found = find(key);
        const used = statSync(at("layers", key, "layer.json"), { throwIfNoEntry: false });
        return found && used ? [{ key, ...found, usedAtMs: used.mtimeMs }] : [];
      }); // prettier-ignore
    },
    tryLock: (key) => tryLock(at("locks", key), me, newName),
    unlock: (key) => unlock(at("locks", key), me),
    lease(key) {
      ensureFolder(at("leases", key), 0o700);
      writeFileSync(at("leases", key, me), "");
      const now = new Date();
      utimesSync(at("layers", key, "layer.json"), now, now);
    },
    unlease(key) {
      rmSync(at("leases", key, me), { force: true });
    },
    newWork,
    adopt(folder, key, facts) {
      const place = at("layers", key);
      writeFileSync(join(folder, "layer.json"), JSON.stringify(facts), { mode: 0o444 });
      ensureFolder(at("layers"), 0o700);
      if (!existsSync(place)) {
        renameSync(folder, place);
        // Not before: a folder that may not be written may not be moved to another one.
        chmodSync(place, 0o555);
      }
      return { folder: place, ...facts };
    },
    take(key) {
      if (!tryLock(at("locks", key), me, newName)) return undefined;
      try {
        if (isLeased(key)) return undefined;
        const work = newWork();
        chmodSync(at("layers", key), 0o700);
        renameSync(at("layers", key), join(work, "layer"));
        rmSync(at("leases", key), { recursive: true, force: true });
        return work;
      } finally {
        unlock(at("locks", key), me);
      }
    },
    remove,
    async removeLeftovers() {
      for (const name of names(at("work"))) {
        if (!isAlive(name.split(".")[0] ?? "")) await remove(at("work", name));
      }
      for (const key of names(at("locks"))) removeIfDead(at("locks", key), newName);
      for (const key of names(at("leases"))) isLeased(key);
    },
  };
}

async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name));
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
