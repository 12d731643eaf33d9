import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import { once } from "../../core/once.ts";
import { createTurns } from "../../core/turns.ts";
import { cannotWrite, findInstallerJail } from "./install.ts";
import { type FoundLayer, openLayerFolder } from "./layer-folder.ts";
import { checkLock, layerKey } from "./lock.ts";
import { makeLayer } from "./make-layer.ts";
import { createNameRules } from "./name-rules.ts";
import type { PackageOptions } from "./options.ts";
import { checkPackageSpec } from "./package-spec.ts";
import type { LayerLease, PackageLock, PackageSpec, PackageStore } from "./packages.ts";
import { createProgress, type Progress } from "./progress.ts";
import { resolveInThread } from "./resolve.ts";

/** Nobody waits longer for a layer; who waits less leaves earlier. */
const MAKE_WITHIN_MS = 600_000;
const RESOLVING_AT_ONCE = 2;
/** So that one who waited, and then for a registry that says nothing, still hears of it within a minute. */
const TURN_WITHIN_MS = 25_000;
const MAKING_AT_ONCE = 2;
const LOCK_LOOK_MS = 50;
/** How long a layer that nobody uses any more stays known, and safe from other processes. */
const KEEP_MS = 600_000;

interface Held extends FoundLayer {
  leases: number;
  letGo?: NodeJS.Timeout;
}

/** One making of a layer, for all who wait for it. It ends when the last of them has left, and nobody joins it then. */
interface Flight {
  made: Promise<Held>;
  deadline: Deadline;
  waiting: number;
  listeners: Set<(message: string) => void>;
}

/** Starts nothing but the removal of what dead processes left behind. */
export function createPackageStore(options: PackageOptions): PackageStore {
  const { limits, log } = options;
  const rules = createNameRules(options.allowed, options.blocked);
  const disk = openLayerFolder(options.folder);
  const held = new Map<string, Held>();
  /** Those that can be joined. */
  const flights = new Map<string, Flight>();
  /** Those that are not over: one that all have left still has its process, folder and lock for a while. */
  const flying = new Set<Flight>();
  const resolving = createTurns(RESOLVING_AT_ONCE);
  const making = createTurns(MAKING_AT_ONCE);
  const jail = once(() => inWork((work) => findInstallerJail(work)));
  let isClosed = false;
  const tidied = disk.removeLeftovers().catch((error: unknown) => {
    log.warn({ why: String(error) }, "what was left in the folder of packages could not be removed");
  });

  /** @throws STORE_UNAVAILABLE when nothing can be written */
  async function inWork<T>(use: (folder: string) => Promise<T>): Promise<T> {
    let work: string;
    try {
      work = disk.newWork();
    } catch (error) {
      throw cannotWrite(error as NodeJS.ErrnoException, options.folder);
    }
    try {
      return await use(work);
    } finally {
      await disk.remove(work);
    }
  }

  function expectOpen(): void {
    if (isClosed) throw new DynamicMcpError("SHUTTING_DOWN", "the server is stopping, so no packages are installed");
  }

  async function resolve(
    wanted: readonly PackageSpec[],
    deadline: Deadline,
    onProgress: (message: string) => void = () => {},
  ): Promise<PackageLock> {
    expectOpen();
    if (wanted.length > limits.maxDirect) {
      const text = `${wanted.length} packages are asked for; at most ${limits.maxDirect} are taken`;
      throw new DynamicMcpError("PACKAGE_NOT_ALLOWED", text, { data: { maxDirect: limits.maxDirect } });
    }
    for (const spec of wanted) {
      await checkPackageSpec(spec);
      rules.check(spec.name);
    }
    const twice = wanted.find(({ name }, at) => wanted.findIndex((each) => each.name === name) !== at);
    if (twice) throw new DynamicMcpError("PACKAGE_NOT_ALLOWED", `the package ${twice.name} is asked for twice`);
    if (wanted.length === 0) return { packages: [] };
    const { registry, allowed, blocked } = options;
    const work = (folder: string) => resolveInThread({ wanted, registry, allowed, blocked, limits, folder }, deadline);
    const progress = createProgress(onProgress);
    const turn = deadline.child(TURN_WITHIN_MS);
    let isMyTurn = false;
    try {
      progress.tell(`finding versions of ${shortList(wanted.map(({ name }) => name))}`);
      return await resolving(() => {
        isMyTurn = true;
        return inWork(work);
      }, turn);
    } catch (error) {
      deadline.throwIfEnded();
      if (isMyTurn) throw error;
      const text = `others have been waiting for the npm registry for ${TURN_WITHIN_MS / 1000} s; try again in a while`;
      throw new DynamicMcpError("REGISTRY_UNAVAILABLE", text, { cause: error });
    } finally {
      progress.stop();
      turn.close();
    }
  }

  function leaseOf(key: string, layer: Held): LayerLease {
    layer.leases++;
    clearTimeout(layer.letGo);
    let isReleased = false;
    return {
      key,
      folder: layer.folder,
      bytes: layer.bytes,
      files: layer.files,
      release() {
        if (isReleased) return;
        isReleased = true;
        if (--layer.leases > 0) return;
        layer.letGo = setTimeout(() => letGo(key, layer), KEEP_MS);
        layer.letGo.unref();
      },
    };
  }

  function letGo(key: string, layer: Held): void {
    clearTimeout(layer.letGo);
    if (held.get(key) !== layer) return;
    held.delete(key);
    disk.unlease(key);
  }

  async function layer(lock: PackageLock, deadline: Deadline, onProgress?: (message: string) => void) {
    expectOpen();
    deadline.throwIfEnded();
    const key = layerKey(lock);
    const known = held.get(key);
    // Somebody may have emptied the folder under us.
    if (known && existsSync(known.folder)) return leaseOf(key, known);
    checkLock(lock, limits.maxPackages);
    for (const { name } of lock.packages) rules.check(name);
    return leaseOf(key, await joinFlight(key, lock, deadline, onProgress));
  }

  async function joinFlight(
    key: string,
    lock: PackageLock,
    deadline: Deadline,
    onProgress?: (message: string) => void,
  ) {
    const flight = flights.get(key) ?? takeOff(key, lock);
    flight.waiting++;
    if (onProgress) flight.listeners.add(onProgress);
    let stopListening = () => {};
    const ended = new Promise<never>((_, reject) => {
      stopListening = deadline.onEnd(() => reject(deadline.error()));
    });
    try {
      return await Promise.race([flight.made, ended]);
    } finally {
      stopListening();
      if (onProgress) flight.listeners.delete(onProgress);
      if (--flight.waiting === 0) flight.deadline.end("client");
    }
  }

  function takeOff(key: string, lock: PackageLock): Flight {
    const deadline = new Deadline(MAKE_WITHIN_MS);
    const listeners: Flight["listeners"] = new Set();
    const progress = createProgress((message) => {
      for (const listener of listeners) listener(message);
    });
    const made = making(() => findOrMake(key, lock, deadline, progress), deadline);
    const flight: Flight = { made, deadline, waiting: 0, listeners };
    const close = () => {
      if (flights.get(key) === flight) flights.delete(key);
    };
    deadline.onEnd(close);
    flights.set(key, flight);
    flying.add(flight);
    const land = () => {
      close();
      progress.stop();
      flying.delete(flight);
      deadline.close();
    };
    made.then(land, land); // all who wait may have left
    return flight;
  }

  async function findOrMake(key: string, lock: PackageLock, deadline: Deadline, progress: Progress) {
    await tidied;
    const startedAt = performance.now();
    try {
      for (let looks = 0; !disk.tryLock(key); looks++) {
        if (looks === 1) progress.tell("another process is installing these packages");
        await wait(LOCK_LOOK_MS, undefined, { signal: deadline.signal });
      }
    } catch (error) {
      deadline.throwIfEnded();
      throw cannotWrite(error as NodeJS.ErrnoException, options.folder);
    }
    let found: FoundLayer;
    let isNew = false;
    try {
      const there = disk.find(key);
      isNew = there === undefined;
      found = there ?? (await make(key, lock, deadline, progress));
      disk.lease(key);
    } catch (error) {
      throw isOfFiles(error) ? cannotWrite(error, options.folder) : error;
    } finally {
      disk.unlock(key);
    }
    // Made twice when somebody emptied the folder: those who have it still count.
    const layer: Held = held.get(key) ?? { ...found, leases: 0 };
    held.set(key, layer);
    // Until all who waited have their own.
    const own = leaseOf(key, layer);
    setImmediate(own.release);
    if (isNew) {
      const { bytes, files } = found;
      log.info({ key, bytes, files, ms: Math.round(performance.now() - startedAt) }, "packages were installed");
      await makeRoom(key);
    }
    return layer;
  }

  function make(key: string, lock: PackageLock, deadline: Deadline, progress: Progress) {
    return inWork(async (work) => {
      const { folder, unpacked } = await makeLayer({ lock, work, options, jail: await jail(), deadline, progress });
      deadline.throwIfEnded();
      return disk.adopt(folder, key, unpacked);
    });
  }

  /** Least recently used first, until the budget holds; never what somebody uses, nor the newest. */
  async function makeRoom(newest: string): Promise<void> {
    await disk.removeLeftovers();
    const layers = disk.list().toSorted((a, b) => a.usedAtMs - b.usedAtMs);
    let bytes = layers.reduce((sum, each) => sum + each.bytes, 0);
    for (const each of layers) {
      if (bytes <= limits.budgetBytes) return;
      const mine = held.get(each.key);
      if (each.key === newest || (mine && mine.leases > 0) || flights.has(each.key)) continue;
      if (mine) letGo(each.key, mine);
      const taken = disk.take(each.key);
      if (taken === undefined) continue;
      bytes -= each.bytes;
      log.info({ key: each.key, bytes: each.bytes }, "packages that nobody used were removed");
      await disk.remove(taken);
    }
  }

  return {
    resolve,
    layer,
    async health() {
      const layers = disk.list();
      const facts = {
        layers: layers.length,
        bytes: layers.reduce((sum, each) => sum + each.bytes, 0),
        budgetBytes: limits.budgetBytes,
      };
      try {
        // Each time: a disk fills up, or is mounted anew.
        await inWork(async (work) => tryToWrite(work, options.folder));
        return { ...facts, installer: (await jail()).kind };
      } catch (error) {
        return { ...facts, installer: "permissions", problem: error instanceof Error ? error.message : String(error) };
      }
    },
    async close() {
      isClosed = true;
      const all = [...flying];
      for (const { deadline } of all) deadline.end("shutdown");
      await Promise.allSettled([tidied, ...all.map(({ made }) => made)]);
      for (const [key, each] of held) letGo(key, each);
    },
  };
}

/** @throws STORE_UNAVAILABLE */
function tryToWrite(work: string, folder: string): void {
  try {
    writeFileSync(join(work, "trial"), "written", { mode: 0o600 });
  } catch (error) {
    throw cannotWrite(error as NodeJS.ErrnoException, folder);
  }
}

const SHOWN_NAMES = 5;
const shortList = (names: readonly string[]) =>
  names.slice(0, SHOWN_NAMES).join(", ") +
  (names.length > SHOWN_NAMES ? ` and ${names.length - SHOWN_NAMES} more` : "");

const isOfFiles = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && !(error instanceof DynamicMcpError) && "code" in error && "syscall" in error;
