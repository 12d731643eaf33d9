import { DynamicMcpError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { EngineName, Job } from "../engine.ts";

/**
 * Who of those that ask gets a place in a pool, where programs call programs.
 *
 * A job that may call tools, a caller, keeps its place while it waits for what it called. Callers that fill all places
 * would wait for each other for ever. So the callers of each depth leave places free that only deeper ones may take,
 * and all of them leave some for jobs that call nobody:
 *
 *     depth of the caller           0        1        2   ...   deepest
 *     places that are added     |---------|-----|---|-|-|-|-|-|-|   | for jobs that call nobody |
 *
 * Why nobody waits for ever: of the callers that have a place, look at the deepest. When it was let in, fewer than the
 * budget of its depth had a place, and the budget of the next depth is larger by one at least. So what it calls can be
 * let in. Jobs that call nobody end by themselves. That holds for as many levels as `callerBudgets` has, also when a
 * chain of calls goes through the pools of several engines. What is nested deeper takes what is free, and is refused at
 * once when that cannot happen.
 */
export interface Admission<A extends Asker> {
  /** Begins to wait. */
  join(asker: A): void;
  /** Waits no more. */
  leave(asker: A): void;
  isWaiting(asker: A): boolean;
  readonly askers: readonly A[];
  /**
   * Those that may have a place now, all of them together, in the order to serve them: the deepest first, since others
   * wait for them with a place of their own; but each fourth place goes to who waits longest. One that has to wait for
   * its budget holds nobody up.
   */
  admissible(): A[];
  /** A job has got a place. */
  enter(job: Nested): void;
  /** It has given its place back. */
  exit(job: Nested): void;
  /** Callers that have a place. */
  callers(): number;
  /** Those that cannot be served before some caller ends that waits, as far as can be seen, for just them. */
  hopeless(): A[];
}

export interface Nested {
  /** How many calls are around it; 0 for a call from outside. */
  depth: number;
  /** Whether it may call tools. */
  calls: boolean;
}

export interface Asker {
  readonly job: Nested;
}

export const nestedOf = ({ depth, may }: Pick<Job, "depth" | "may">): Nested => ({ depth, calls: may.callTools });

/** Of so many places given, one goes to who waits longest. */
const OLDEST_EACH = 4;

/** @param places all that there are, also for those that wait; >= 1 */
export function createAdmission<A extends Asker>(places: number): Admission<A> {
  const budgets = callerBudgets(places);
  /** The deepest first; of one depth in the order of asking. */
  const askers: A[] = [];
  const arrivals = new Map<A, number>();
  let arrived = 0;
  let given = 0;
  let callers = 0;

  const budgetOf = (depth: number) => budgets[Math.min(depth, budgets.length - 1)] ?? 1;
  const fits = ({ depth, calls }: Nested, among: number) => among < (calls ? budgetOf(depth) : places);

  function oldestFirst(): readonly A[] {
    const oldest = askers.toSorted((a, b) => (arrivals.get(a) ?? 0) - (arrivals.get(b) ?? 0)).find(mayEnter);
    return oldest ? [oldest, ...askers.filter((each) => each !== oldest)] : askers;
  }
  const mayEnter = ({ job }: A) => fits(job, callers);

  return {
    askers,
    join(asker) {
      let at = askers.length;
      while (at > 0 && (askers[at - 1]?.job.depth ?? 0) < asker.job.depth) at--;
      askers.splice(at, 0, asker);
      arrivals.set(asker, arrived++);
    },
    leave(asker) {
      if (arrivals.delete(asker)) askers.splice(askers.indexOf(asker), 1);
    },
    isWaiting: (asker) => arrivals.has(asker),
    admissible() {
      let among = callers;
      const isMixed = askers[0]?.job.depth !== askers.at(-1)?.job.depth;
      const isTurnOfOldest = isMixed && given % OLDEST_EACH === OLDEST_EACH - 1;
      return (isTurnOfOldest ? oldestFirst() : askers).filter(({ job }) => {
        if (!fits(job, among)) return false;
        if (job.calls) among++;
        return true;
      });
    },
    enter(job) {
      given++;
      if (job.calls) callers++;
    },
    exit(job) {
      if (job.calls) callers--;
    },
    callers: () => callers,
    hopeless: () =>
      askers.filter((asker) => {
        const { depth, calls } = asker.job;
        if (depth === 0 || mayEnter(asker)) return false;
        return !calls || budgetOf(depth) <= budgetOf(depth - 1);
      }),
  };
}

/**
 * How many callers may have a place when one more of this depth asks: the index is the depth, what is deeper has the
 * last. A third of the places is for levels, one more place for each, so that what is called finds one; of the rest the
 * first level has half, the second a quarter, and so on, since most programs that are called call nobody.
 *
 * @param places >= 1
 * @returns numbers that grow, from 1 to `places` less an eighth (one at least, where there are two) for other jobs
 */
export function callerBudgets(places: number): readonly number[] {
  const room = Math.max(1, places - Math.max(1, Math.floor(places / 8)));
  const levels = Math.min(LIMITS.callDepth + 1, room, Math.max(2, Math.ceil(room / 3)));
  const spare = room - levels;
  const growing = Array.from({ length: levels - 1 }, (_, depth) => depth + 1 + Math.ceil(spare * (1 - 2 ** -(depth + 1)))); // prettier-ignore
  return [...growing, room];
}

/** What a job hears for which no place can come free. */
export function noPlaceWithin(engine: EngineName, places: number, depth: number): DynamicMcpError {
  const all = `all ${places} places of the ${engine} engine are held by programs that wait for what they called`;
  const only = `the only place of the ${engine} engine is held by a program that waits for what it called`;
  const advice =
    engine === "quickjs"
      ? "nest fewer calls, or try again when fewer programs run"
      : `nest fewer calls, or have the operator raise MCP_SANDBOX_MAX_SANDBOXES (--sandbox-max-sandboxes)${places === 1 ? " to 2 or more: with 1 no program can call another one of this engine" : ""}`; // prettier-ignore
  const message = `${places === 1 ? only : all}, so call number ${depth} within calls was not run; ${advice}`;
  return new DynamicMcpError("OVERLOADED", message, { data: { places, depth, retryAfterMs: RETRY_AFTER_MS } });
}

/** What a job hears that waited for too long. */
export function allBusy(waitedMs: number): DynamicMcpError {
  const message = `every sandbox was busy for ${waitedMs} ms, so nothing was run; try again in ${RETRY_AFTER_MS} ms`;
  return new DynamicMcpError("OVERLOADED", message, { data: { waitedMs, retryAfterMs: RETRY_AFTER_MS } });
}

const RETRY_AFTER_MS = 1_000;
