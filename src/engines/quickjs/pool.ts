import type { Deadline } from "../../core/deadline.ts";
import type { Logger } from "../../core/source.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import { allBusy, createAdmission, type Nested, noPlaceWithin } from "../process/admission.ts";
import { didNotStart, type Member } from "../process/member.ts";

/**
 * The children. None at first; one more whenever a job waits and fewer than `maxRunning` guests compute; idle ones are
 * let go, all but one soon and the last later.
 *
 * A guest that only waits (for a timer, or for a call it made) does not count as computing, or programs would starve
 * the very tools they call. It keeps its child, so `maxChildren` bounds them all, and `admission` sees to it that those
 * that wait leave some to what they called.
 */
export interface Pool {
  /**
   * A child for one job, in the order of {@link createAdmission}. Give it back with `release`.
   * @throws the deadline's error when it ends first; ENGINE_UNAVAILABLE when no child starts; OVERLOADED after
   *   `maxWaitMs`, or at once when all children wait for what they called and none can come free
   */
  acquire(job: Nested, deadline: Deadline): Promise<Member>;
  release(member: Member): void;
  /** Somebody began to wait: there may be room for one more. */
  wake(): void;
  /** Those that are there now, starting ones included. */
  members(): Member[];
  /** Jobs that wait for a child. */
  waiting(): number;
  close(): Promise<void>;
}

export interface PoolOptions {
  spawn(): Member;
  maxRunning: number;
  maxChildren: number;
  /** How long a job waits for a child at most. */
  maxWaitMs: number;
  /** A child beyond the first that had no job for this long is let go. */
  idleMs: number;
  /** The same for the last one. */
  lastIdleMs: number;
  recycleAfterJobs: number;
  recycleAboveMiB: number;
  log: Logger;
}

interface Asker {
  job: Nested;
  give(member: Member): void;
  refuse(error: Error): void;
}

const NOT_STARTED = "a quickjs sandbox did not start";

export function createPool(options: PoolOptions): Pool {
  const idle: Member[] = [];
  const busy = new Map<Member, Nested>();
  const starting = new Set<Member>();
  /** One for each process, until it is gone. */
  const ends = new Set<Promise<unknown>>();
  const admission = createAdmission<Asker>(options.maxChildren);
  let shrinkTimer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const computing = () => [...busy.keys()].filter((member) => !member.isWaiting).length;
  const count = () => idle.length + busy.size + starting.size;

  function serve(): void {
    if (admission.askers.length === 0) return;
    const running = computing();
    let slots = options.maxRunning - running;
    if (slots <= 0) return;
    const admissible = admission.admissible();
    if (admissible.length === 0 && running === 0 && admission.callers() === busy.size) return refuseHopeless();
    let unserved = admissible.length;
    for (const asker of admissible) {
      const member = slots > 0 ? takeIdle() : undefined;
      if (!member) break;
      busy.set(member, asker.job);
      admission.enter(asker.job);
      asker.give(member);
      slots--;
      unserved--;
    }
    while (starting.size < Math.min(unserved, slots) && ends.size < options.maxChildren) {
      if (!start()) unserved--;
    }
  }

  function takeIdle(): Member | undefined {
    for (;;) {
      const member = idle.pop();
      if (!member || member.isSound) return member;
    }
  }

  function refuseHopeless(): void {
    for (const asker of admission.hopeless()) {
      asker.refuse(noPlaceWithin("quickjs", options.maxChildren, asker.job.depth));
    }
  }

  /** One asker pays for one failed start, so a machine that cannot start any answers each of them. */
  function refuseOne(error: Error): void {
    admission.admissible()[0]?.refuse(error);
  }

  /** @returns whether one is on its way */
  function start(): boolean {
    let member: Member;
    try {
      member = options.spawn();
    } catch (cause) {
      // The program is not there, or the machine refuses at once: the same as one that ends before it is ready.
      options.log.warn({ why: cause instanceof Error ? cause.message : String(cause) }, NOT_STARTED);
      refuseOne(didNotStart("quickjs", cause));
      return false;
    }
    starting.add(member);
    const gone = member.exited.then((exit) => {
      ends.delete(gone);
      const at = idle.indexOf(member);
      if (at >= 0) idle.splice(at, 1);
      if (exit.reason !== "killed") options.log.warn({ pid: member.pid, ...exit }, "a quickjs sandbox ended by itself");
      serve();
    });
    ends.add(gone);
    member.ready.then(
      () => {
        starting.delete(member);
        options.log.debug({ pid: member.pid }, "a quickjs sandbox is ready");
        if (isClosed) return member.kill();
        idle.push(member);
        serve();
        armShrink();
      },
      (error: Error) => {
        starting.delete(member);
        if (!isClosed) options.log.warn({ pid: member.pid, why: String(error.cause) }, NOT_STARTED);
        refuseOne(error);
        serve();
      },
    );
    return true;
  }

  function armShrink(): void {
    clearTimeout(shrinkTimer);
    if (idle.length === 0 || isClosed) return;
    const isLast = count() === 1;
    shrinkTimer = setTimeout(
      () => {
        // The one that was idle longest is at the front.
        idle.shift()?.kill();
        armShrink();
      },
      isLast ? options.lastIdleMs : options.idleMs,
    );
    shrinkTimer.unref();
  }

  function isWorn(member: Member): boolean {
    return member.jobs >= options.recycleAfterJobs || member.rssMiB > options.recycleAboveMiB;
  }

  return {
    acquire(job, deadline) {
      if (isClosed) {
        return Promise.reject(new DynamicMcpError("SHUTTING_DOWN", "the quickjs engine is closed"));
      }
      if (deadline.reason) return Promise.reject(deadline.error());
      return new Promise<Member>((resolve, reject) => {
        let timer: NodeJS.Timeout | undefined;
        let stopListening = () => {};
        const leave = () => {
          admission.leave(asker);
          clearTimeout(timer);
          stopListening();
        };
        const asker: Asker = {
          job,
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
    release(member) {
      const job = busy.get(member);
      if (!job) return;
      busy.delete(member);
      admission.exit(job);
      if (!member.isSound || isWorn(member) || isClosed) member.kill();
      else idle.push(member);
      serve();
      armShrink();
    },
    wake: serve,
    members: () => [...idle, ...busy.keys(), ...starting],
    waiting: () => admission.askers.length,
    async close() {
      isClosed = true;
      clearTimeout(shrinkTimer);
      for (const asker of [...admission.askers]) {
        asker.refuse(new DynamicMcpError("SHUTTING_DOWN", "the quickjs engine is closed"));
      }
      for (const member of [...idle.splice(0), ...busy.keys(), ...starting]) member.kill();
      await Promise.all(ends);
    },
  };
}
