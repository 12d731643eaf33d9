import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import type { Logger } from "../../core/source.ts";
import type { EngineName } from "../engine.ts";
import { didNotStart, type Member } from "./member.ts";

/**
 * Sandboxes that are used once, started ahead. Members of one key are alike (same jail, packages, limits), so each can
 * take any job of that key; none ever gets a second one.
 *
 * A key that was used keeps a few ready ones, started one after the other once nobody waits. A guest that only waits for
 * an answer does not count as running, or programs would starve the very tools they call; `maxLive` bounds all
 * processes, those included that are starting, idle, or killed and not gone yet.
 */
export interface OneShotPool {
  /**
   * A member for one job, in the order of asking. Give it back with `release`.
   *
   * @param spawn makes one; also used later, to have the next ones of this key ready
   * @throws the deadline's error when it ends first; ENGINE_UNAVAILABLE when none starts; OVERLOADED after `maxWaitMs`;
   *   SHUTTING_DOWN
   */
  acquire(key: string, spawn: () => Member, deadline: Deadline): Promise<Member>;
  /** The job is over: ends the member. */
  release(member: Member): void;
  /** Somebody began to wait: there may be room for one more. */
  wake(): void;
  counts(): PoolCounts;
  /** Ends the idle ones of a key. */
  forget(key: string): void;
  /** Ends all and waits until they are gone. Safe to call twice. */
  close(): Promise<void>;
}

export interface PoolCounts {
  idle: number;
  starting: number;
  running: number;
  /** Of those that have a job: guests that only wait. */
  waiting: number;
  /** Killed, and not gone yet. */
  leaving: number;
  /** Jobs that wait for a member. */
  asking: number;
}

export interface OneShotPoolOptions {
  engine: EngineName;
  maxRunning: number;
  maxLive: number;
  /** Ready members that a used key keeps. */
  idlePerKey: number;
  /** A ready member that no job wanted for this long is ended. */
  idleMs: number;
  /** How long a job waits for a member at most. */
  maxWaitMs: number;
  log: Logger;
}

interface Asker {
  key: string;
  spawn: () => Member;
  give(member: Member): void;
  refuse(error: Error): void;
}

interface Idle {
  key: string;
  member: Member;
  since: number;
}

const RETRY_AFTER_MS = 1_000;
/** So many keys, those used last, have members ready. */
const READY_KEYS = 8;
/** Long enough for the reply to be on its way before the next member takes the processor. */
const REFILL_AFTER_MS = 5;

export function createOneShotPool(options: OneShotPoolOptions): OneShotPool {
  const { engine, log } = options;
  /** Oldest first. */
  let idle: Idle[] = [];
  const starting = new Map<Member, string>();
  const busy = new Map<Member, string>();
  const leaving = new Set<Member>();
  const gone = new Set<Promise<unknown>>();
  let askers: Asker[] = [];
  /** How to make the next ones of a key. */
  const recipes = new Map<string, () => Member>();
  let sweepTimer: NodeJS.Timeout | undefined;
  let refillTimer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const live = () => idle.length + starting.size + busy.size + leaving.size;
  const waitingGuests = () => [...busy.keys()].filter((member) => member.isWaiting).length;
  const startingOf = (key: string) => [...starting.values()].filter((each) => each === key).length;

  /** Gives what is there and starts what is missing, in the order of asking. */
  function serve(): void {
    let slots = options.maxRunning - (busy.size - waitingGuests());
    const onTheirWay = new Map<string, number>();
    for (const asker of askers.slice()) {
      if (slots <= 0) return;
      const { key } = asker;
      const ready = takeIdle(key);
      if (ready) {
        busy.set(ready, key);
        asker.give(ready);
        slots--;
        continue;
      }
      const coming = onTheirWay.get(key) ?? startingOf(key);
      if (coming > 0) {
        onTheirWay.set(key, coming - 1);
        slots--;
      } else if (live() < options.maxLive) {
        onTheirWay.set(key, 0);
        start(key, asker.spawn);
        slots--;
      } else {
        // Room comes when an idle one of another key, or whoever ends next, is gone; then we are back here.
        if (leaving.size === 0) evictOldest();
        return;
      }
    }
  }

  function takeIdle(key: string): Member | undefined {
    for (;;) {
      const at = idle.findIndex((each) => each.key === key);
      const [found] = at < 0 ? [] : idle.splice(at, 1);
      if (!found || found.member.isSound) return found?.member;
    }
  }

  function start(key: string, spawn: () => Member): void {
    let member: Member;
    try {
      member = spawn();
    } catch (cause) {
      log.warn({ engine, why: cause instanceof Error ? cause.message : String(cause) }, NOT_STARTED);
      refuseOne(key, didNotStart(engine, cause));
      return;
    }
    starting.set(member, key);
    const end = member.exited.then((exit) => {
      gone.delete(end);
      if (!idle.some((each) => each.member === member)) return;
      idle = idle.filter((each) => each.member !== member);
      log.warn({ engine, pid: member.pid, ...exit }, "an idle sandbox ended by itself");
    });
    gone.add(end);
    member.ready.then(
      () => {
        if (!starting.delete(member)) return;
        log.debug({ engine, pid: member.pid }, "a sandbox is ready");
        if (isClosed) return letGo(member);
        idle.push({ key, member, since: performance.now() });
        serve();
        armSweep();
        armRefill();
      },
      (error: Error) => {
        if (!starting.delete(member)) return;
        recipes.delete(key);
        if (!isClosed) log.warn({ engine, pid: member.pid, why: String(error.cause) }, NOT_STARTED);
        // One asker pays for one failed start, so a machine that cannot start any answers each of them.
        refuseOne(key, error);
        serve();
      },
    );
  }

  function refuseOne(key: string, error: Error): void {
    askers.find((asker) => asker.key === key)?.refuse(error);
  }

  function letGo(member: Member): void {
    leaving.add(member);
    member.kill();
    void member.exited.then(() => {
      leaving.delete(member);
      serve();
    });
  }

  function evictOldest(): void {
    const oldest = idle.shift();
    if (oldest) letGo(oldest.member);
  }

  function armSweep(): void {
    clearTimeout(sweepTimer);
    const oldest = idle[0];
    if (!oldest || isClosed) return;
    const wait = Math.max(0, oldest.since + options.idleMs - performance.now());
    sweepTimer = setTimeout(() => {
      recipes.delete(oldest.key);
      forget(oldest.key);
      armSweep();
    }, wait);
    sweepTimer.unref();
  }

  function forget(key: string): void {
    for (const { member } of idle.filter((each) => each.key === key)) letGo(member);
    idle = idle.filter((each) => each.key !== key);
  }

  /** One at a time, and only while nobody waits: jobs come first. */
  function armRefill(): void {
    clearTimeout(refillTimer);
    refillTimer = setTimeout(() => {
      if (isClosed || askers.length > 0 || starting.size > 0 || live() >= options.maxLive) return;
      for (const [key, spawn] of recipes) {
        const ready = idle.filter((each) => each.key === key).length;
        if (ready < options.idlePerKey) return start(key, spawn);
      }
    }, REFILL_AFTER_MS);
    refillTimer.unref();
  }

  const closed = () => new DynamicMcpError("SHUTTING_DOWN", `the ${engine} engine is closed`);

  return {
    acquire(key, spawn, deadline) {
      if (isClosed) return Promise.reject(closed());
      if (deadline.reason) return Promise.reject(deadline.error());
      // The key that was used last is refilled first.
      recipes.delete(key);
      const others = [...recipes];
      recipes.clear();
      recipes.set(key, spawn);
      for (const [other, recipe] of others.slice(0, READY_KEYS - 1)) recipes.set(other, recipe);
      for (const [other] of others.slice(READY_KEYS - 1)) forget(other);
      return new Promise<Member>((resolve, reject) => {
        let timer: NodeJS.Timeout | undefined;
        let stopListening = () => {};
        const leave = () => {
          askers = askers.filter((each) => each !== asker);
          clearTimeout(timer);
          stopListening();
        };
        const asker: Asker = {
          key,
          spawn,
          give(member) {
            leave();
            resolve(member);
          },
          refuse(error) {
            leave();
            reject(error);
          },
        };
        askers.push(asker);
        serve();
        if (!askers.includes(asker)) return;
        stopListening = deadline.onEnd(() => asker.refuse(deadline.error()));
        timer = setTimeout(() => asker.refuse(allBusy(options.maxWaitMs)), options.maxWaitMs);
        timer.unref();
      });
    },
    release(member) {
      if (!busy.delete(member)) return;
      letGo(member);
      serve();
      armRefill();
    },
    wake: serve,
    forget(key) {
      recipes.delete(key);
      forget(key);
    },
    counts: () => ({
      idle: idle.length,
      starting: starting.size,
      running: busy.size - waitingGuests(),
      waiting: waitingGuests(),
      leaving: leaving.size,
      asking: askers.length,
    }),
    async close() {
      isClosed = true;
      clearTimeout(sweepTimer);
      clearTimeout(refillTimer);
      recipes.clear();
      for (const asker of askers) asker.refuse(closed());
      for (const { member } of idle.splice(0)) letGo(member);
      for (const member of [...busy.keys(), ...starting.keys()]) member.kill();
      await Promise.all(gone);
    },
  };
}

const NOT_STARTED = "a sandbox did not start";

const allBusy = (waitedMs: number) =>
  new DynamicMcpError(
    "OVERLOADED",
    `every sandbox was busy for ${waitedMs} ms, so nothing was run; try again in ${RETRY_AFTER_MS} ms`,
    { data: { waitedMs, retryAfterMs: RETRY_AFTER_MS } },
  );
