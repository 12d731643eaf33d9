import type { Deadline } from "../../core/deadline.ts";
import type { Logger } from "../../core/source.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import { didNotStart, type Member } from "../process/member.ts";

/**
 * The children. None at first; one more whenever a job waits and fewer than `maxRunning` guests compute; idle ones are
 * let go, all but one soon and the last later.
 *
 * A guest that only waits (for a timer, or for a call it made) does not count as computing, or programs would starve
 * the very tools they call. It keeps its child, so `maxChildren` bounds them all.
 */
export interface Pool {
  /**
   * A child for one job, in the order of asking. Give it back with `release`.
   * @throws the deadline's error when it ends first; ENGINE_UNAVAILABLE when no child starts; OVERLOADED after `maxWaitMs`
   */
  acquire(deadline: Deadline): Promise<Member>;
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
  give(member: Member): void;
  refuse(error: Error): void;
}

const NOT_STARTED = "a quickjs sandbox did not start";
const RETRY_AFTER_MS = 1_000;

const allBusy = (waitedMs: number) =>
  new DynamicMcpError(
    "OVERLOADED",
    `every sandbox was busy for ${waitedMs} ms, so nothing was run; try again in ${RETRY_AFTER_MS} ms`,
    { data: { waitedMs, retryAfterMs: RETRY_AFTER_MS } },
  );

export function createPool(options: PoolOptions): Pool {
  const idle: Member[] = [];
  const busy = new Set<Member>();
  const starting = new Set<Member>();
  const leaving = new Set<Promise<unknown>>();
  const askers: Asker[] = [];
  let shrinkTimer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const computing = () => [...busy].filter((member) => !member.isWaiting).length;
  const count = () => idle.length + busy.size + starting.size;

  function serve(): void {
    while (askers.length > 0 && computing() < options.maxRunning) {
      const member = idle.pop();
      if (!member) break;
      if (!member.isSound) continue;
      busy.add(member);
      askers.shift()?.give(member);
    }
    while (
      starting.size < askers.length &&
      computing() + starting.size < options.maxRunning &&
      count() < options.maxChildren
    ) {
      start();
    }
  }

  function start(): void {
    let member: Member;
    try {
      member = options.spawn();
    } catch (cause) {
      // The program is not there, or the machine refuses at once: the same as one that ends before it is ready.
      options.log.warn({ why: cause instanceof Error ? cause.message : String(cause) }, NOT_STARTED);
      askers.shift()?.refuse(didNotStart("quickjs", cause));
      return;
    }
    starting.add(member);
    const gone = member.exited.then((exit) => {
      leaving.delete(gone);
      const at = idle.indexOf(member);
      if (at >= 0) idle.splice(at, 1);
      if (exit.reason !== "killed") options.log.warn({ pid: member.pid, ...exit }, "a quickjs sandbox ended by itself");
    });
    leaving.add(gone);
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
        // One asker pays for one failed start, so a machine that cannot start any answers each of them.
        askers.shift()?.refuse(error);
        serve();
      },
    );
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
    acquire(deadline) {
      if (isClosed) {
        return Promise.reject(new DynamicMcpError("SHUTTING_DOWN", "the quickjs engine is closed"));
      }
      if (deadline.reason) return Promise.reject(deadline.error());
      return new Promise<Member>((resolve, reject) => {
        let timer: NodeJS.Timeout | undefined;
        let stopListening = () => {};
        const leave = () => {
          const at = askers.indexOf(asker);
          if (at >= 0) askers.splice(at, 1);
          clearTimeout(timer);
          stopListening();
        };
        const asker: Asker = {
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
      busy.delete(member);
      if (!member.isSound || isWorn(member) || isClosed) member.kill();
      else idle.push(member);
      serve();
      armShrink();
    },
    wake: serve,
    members: () => [...idle, ...busy, ...starting],
    waiting: () => askers.length,
    async close() {
      isClosed = true;
      clearTimeout(shrinkTimer);
      for (const asker of askers.splice(0)) {
        asker.refuse(new DynamicMcpError("SHUTTING_DOWN", "the quickjs engine is closed"));
      }
      for (const member of [...idle.splice(0), ...busy, ...starting]) member.kill();
      await Promise.all(leaving);
    },
  };
}
