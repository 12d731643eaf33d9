import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import type { Logger } from "../../core/source.ts";
import type { EngineName } from "../engine.ts";
import { allBusy, createAdmission, type Nested, noPlaceWithin } from "./admission.ts";
import { didNotStart, type Member } from "./member.ts";

/**
 * Sandboxes that are used once, started ahead. Members of one key are alike (same jail, packages, limits), so each can
 * take any job of that key; none ever gets a second one, unless who gives it back says that it may.
 *
 * A key that was used keeps a few ready ones, started when nobody waits. A guest that only waits for an answer does not
 * count as running, or programs would starve the very tools they call; `maxLive` bounds all processes, those included
 * that are starting, idle, or killed and not gone yet, and `admission` sees to it that those that wait leave some to
 * what they called.
 */
export interface OneShotPool {
  /**
   * A member for one job, in the order of {@link createAdmission}. Give it back with `release`.
   *
   * @param spawn makes one; also used later, to have the next ones of this key ready
   * @throws the deadline's error when it ends first; ENGINE_UNAVAILABLE when none starts; OVERLOADED after `maxWaitMs`, or
   *   at once when all members wait for what they called and none can come free; SHUTTING_DOWN
   */
  acquire(key: string, spawn: () => Member, job: Nested, deadline: Deadline): Promise<Member>;
  /**
   * The job is over: ends the member.
   *
   * @param again keeps it for the next job of its key instead, which then finds what this one has left
   */
  release(member: Member, again?: boolean): void;
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
  /** Of these, how many are started at once; default 1. */
  refillAtOnce?: number;
  /** A ready member that no job wanted for this long is ended. */
  idleMs: number;
  /** How long a job waits for a member at most. */
  maxWaitMs: number;
  log: Logger;
}

interface Asker {
  key: string;
  job: Nested;
  spawn: () => Member;
  give(member: Member): void;
  refuse(error: Error): void;
}

interface Idle {
  key: string;
  member: Member;
  since: number;
}

/** So many keys, those used last, have members ready. */
const READY_KEYS = 8;
/** Long enough for the reply to be on its way before the next member takes the processor. */
const REFILL_AFTER_MS = 5;

export function createOneShotPool(options: OneShotPoolOptions): OneShotPool {
  const { engine, refillAtOnce = 1, log } = options;
  /** Oldest first. */
  let idle: Idle[] = [];
  const starting = new Map<Member, string>();
  const busy = new Map<Member, Asker>();
  const leaving = new Set<Member>();
  const gone = new Set<Promise<unknown>>();
  const admission = createAdmission<Asker>(options.maxLive);
  /** How to make the next ones of a key. */
  const recipes = new Map<string, () => Member>();
  let sweepTimer: NodeJS.Timeout | undefined;
  let refillTimer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const live = () => idle.length + starting.size + busy.size + leaving.size;
  const waitingGuests = () => [...busy.keys()].filter((member) => member.isWaiting).length;
  const startingOf = (key: string) => [...starting.values()].filter((each) => each === key).length;

  /** Gives what is there and starts what is missing. */
  function serve(): void {
    if (admission.askers.length === 0) return;
    const running = busy.size - waitingGuests();
    let slots = options.maxRunning - running;
    if (slots <= 0) return;
    const admissible = admission.admissible();
    if (admissible.length === 0 && running === 0 && admission.callers() === busy.size) return refuseHopeless();
    const onTheirWay = new Map<string, number>();
    let isFull = false;
    for (const asker of admissible) {
      if (slots <= 0) return;
      if (!admission.isWaiting(asker)) continue;
      const { key } = asker;
      // What was started for somebody further back is theirs: to end it for who comes first would start both again.
      const ready = takeIdle(key, isFull);
      if (ready) {
        busy.set(ready, asker);
        admission.enter(asker.job);
        asker.give(ready);
        slots--;
        continue;
      }
      if (isFull) continue;
      const coming = onTheirWay.get(key) ?? startingOf(key);
      if (coming > 0) {
        onTheirWay.set(key, coming - 1);
        slots--;
      } else if (live() < options.maxLive) {
        onTheirWay.set(key, 0);
        if (start(key, asker.spawn)) slots--;
      } else {
        isFull = true;
      }
    }
    // Room comes when an idle one of another key, or whoever ends next, is gone; then we are back here.
    if (isFull && slots > 0 && leaving.size === 0) evictOldest();
  }

  function refuseHopeless(): void {
    for (const asker of admission.hopeless()) {
      asker.refuse(noPlaceWithin(engine, options.maxLive, asker.job.depth));
    }
  }

  function takeIdle(key: string, isFreshOnly: boolean): Member | undefined {
    for (;;) {
      // Of those that are used again the one used last: it has what the last job left.
      const used = isFreshOnly ? -1 : idle.findLastIndex((each) => each.key === key && each.member.jobs > 0);
      const at = used < 0 ? idle.findIndex((each) => each.key === key && each.member.jobs === 0) : used;
      const [found] = at < 0 ? [] : idle.splice(at, 1);
      if (!found || found.member.isSound) return found?.member;
    }
  }

  /**
   * @param isAhead nobody asked for it yet; when it fails, who came meanwhile gets one that is started for them
   * @returns whether one is on its way
   */
  function start(key: string, spawn: () => Member, isAhead = false): boolean {
    let member: Member;
    try {
      member = spawn();
    } catch (cause) {
      log.warn({ engine, why: cause instanceof Error ? cause.message : String(cause) }, NOT_STARTED);
      refuseOne(key, didNotStart(engine, cause));
      return false;
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
        if (!isAhead) refuseOne(key, error);
        serve();
      },
    );
    return true;
  }

  function refuseOne(key: string, error: Error): void {
    admission
      .admissible()
      .find((asker) => asker.key === key)
      ?.refuse(error);
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
      evictOldest();
      armSweep();
    }, wait);
    sweepTimer.unref();
  }

  function forget(key: string): void {
    for (const { member } of idle.filter((each) => each.key === key)) letGo(member);
    idle = idle.filter((each) => each.key !== key);
  }

  /** Few at a time, and only while nobody waits but for a program to end: jobs come first. */
  function armRefill(): void {
    clearTimeout(refillTimer);
    refillTimer = setTimeout(() => {
      if (isClosed || admission.admissible().length > 0) return;
      for (const [key, spawn] of recipes) {
        const ready = idle.filter((each) => each.key === key).length;
        for (let coming = startingOf(key); ready + coming < options.idlePerKey; coming++) {
          if (starting.size >= refillAtOnce || live() >= options.maxLive) return;
          if (!start(key, spawn, true)) return;
        }
      }
    }, REFILL_AFTER_MS);
    refillTimer.unref();
  }

  function refillFirst(key: string, spawn: () => Member): void {
    recipes.delete(key);
    const others = [...recipes];
    recipes.clear();
    recipes.set(key, spawn);
    for (const [other, recipe] of others.slice(0, READY_KEYS - 1)) recipes.set(other, recipe);
    for (const [other] of others.slice(READY_KEYS - 1)) forget(other);
  }

  const closed = () => new DynamicMcpError("SHUTTING_DOWN", `the ${engine} engine is closed`);

  return {
    acquire(key, spawn, job, deadline) {
      if (isClosed) return Promise.reject(closed());
      if (deadline.reason) return Promise.reject(deadline.error());
      if (options.idlePerKey > 0) refillFirst(key, spawn);
      return new Promise<Member>((resolve, reject) => {
        let timer: NodeJS.Timeout | undefined;
        let stopListening = () => {};
        const leave = () => {
          admission.leave(asker);
          clearTimeout(timer);
          stopListening();
        };
        const asker: Asker = {
          key,
          job,
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
        admission.join(asker);
        serve();
        if (!admission.isWaiting(asker)) return;
        stopListening = deadline.onEnd(() => asker.refuse(deadline.error()));
        timer = setTimeout(() => asker.refuse(allBusy(options.maxWaitMs)), options.maxWaitMs);
        timer.unref();
      });
    },
    release(member, again = false) {
      const asker = busy.get(member);
      if (!asker) return;
      const { key, job } = asker;
      busy.delete(member);
      admission.exit(job);
      if (again && member.isSound && !isClosed) {
        idle.push({ key, member, since: performance.now() });
        armSweep();
      } else {
        letGo(member);
      }
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
      asking: admission.askers.length,
    }),
    async close() {
      isClosed = true;
      clearTimeout(sweepTimer);
      clearTimeout(refillTimer);
      recipes.clear();
      for (const asker of [...admission.askers]) asker.refuse(closed());
      for (const { member } of idle.splice(0)) letGo(member);
      for (const member of [...busy.keys(), ...starting.keys()]) member.kill();
      await Promise.all(gone);
    },
  };
}

const NOT_STARTED = "a sandbox did not start";
