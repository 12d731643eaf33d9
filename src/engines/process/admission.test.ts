import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../core/limits.ts";
import { type Asker, callerBudgets, createAdmission, type Nested, noPlaceWithin } from "./admission.ts";

const plain = (depth = 0): Nested => ({ depth, calls: false });
const caller = (depth = 0): Nested => ({ depth, calls: true });

/** A queue of jobs by name. */
function open(places: number) {
  const admission = createAdmission<Asker & { name: string }>(places);
  const join = (name: string, job: Nested) => {
    const asker = { name, job };
    admission.join(asker);
    return asker;
  };
  const names = () => admission.admissible().map(({ name }) => name);
  /** Serves the first one. */
  const serve = () => {
    const [first] = admission.admissible();
    if (!first) return undefined;
    admission.leave(first);
    admission.enter(first.job);
    return first.name;
  };
  return { admission, join, names, serve };
}

describe("the budgets of callers", () => {
  it.each([
    [1, [1]],
    [2, [1]],
    [3, [1, 2]],
    [4, [2, 3]],
    [8, [3, 5, 7]],
    [12, [5, 8, 10, 11]],
    [16, [6, 9, 11, 13, 14]],
  ])("with %i places are %j", (places, budgets) => {
    expect(callerBudgets(places)).toEqual(budgets);
  });

  it("grow from each depth to the next and leave places for other jobs", () => {
    for (let places = 2; places <= 1_000; places++) {
      const budgets = callerBudgets(places);
      expect(budgets[0]).toBeGreaterThanOrEqual(1);
      expect(budgets.every((each, depth) => depth === 0 || each > (budgets[depth - 1] ?? 0))).toBe(true);
      expect(budgets.at(-1)).toBe(places - Math.max(1, Math.floor(places / 8)));
    }
  });

  it("have a level for each depth that calls may have, where there are 56 places", () => {
    expect(callerBudgets(56)).toHaveLength(LIMITS.callDepth + 1);
  });
});

describe("who gets a place next", () => {
  it("is the deepest, of one depth who came first", () => {
    const { join, names } = open(8);
    join("a", plain(0));
    join("b", plain(1));
    join("c", plain(2));
    join("d", plain(1));
    expect(names()).toEqual(["c", "b", "d", "a"]);
  });

  it("is each fourth time who waits longest, whatever comes from deeper", () => {
    const { join, serve } = open(8);
    join("first", plain(0));
    join("second", plain(0));
    const served = Array.from({ length: 8 }, (_, at) => {
      join(`deep ${at}`, plain(3));
      return serve();
    });
    expect(served.indexOf("first")).toBe(3);
    expect(served.indexOf("second")).toBe(7);
  });

  it("is nobody who has to wait for a budget, and those behind do not wait with them", () => {
    const { admission, join, names } = open(8);
    for (const job of [caller(), caller(), caller(), plain()]) admission.enter(job);
    join("caller", caller());
    join("plain", plain());
    expect(names()).toEqual(["plain"]);
    join("nested", caller(1));
    expect(names()).toEqual(["nested", "plain"]);
    admission.exit(caller());
    expect(names()).toEqual(["nested", "plain"]);
    admission.exit(caller());
    expect(names()).toEqual(["nested", "caller", "plain"]);
  });

  it("takes into account who comes before in the same round", () => {
    const { join, names } = open(8);
    for (const name of ["a", "b", "c", "d"]) join(name, caller());
    expect(names()).toEqual(["a", "b", "c"]);
  });
});

describe("a nested job that cannot be served", () => {
  it("is told so where the only place is its caller's", () => {
    const { admission, join } = open(1);
    const nested = join("nested", plain(1));
    expect(admission.hopeless()).toEqual([]);
    admission.enter(caller());
    join("from outside", plain(0));
    expect(admission.hopeless()).toEqual([nested]);
    const error = noPlaceWithin("node", 1, 1);
    expect(error).toMatchObject({ code: "OVERLOADED", data: { places: 1, depth: 1 } });
    expect(error.message).toContain("--sandbox-max-sandboxes");
  });

  it("is told so only where it is nested deeper than there are levels", () => {
    const { admission, join } = open(8);
    for (const depth of [0, 1, 1, 1, 2, 2, 2]) admission.enter(caller(depth));
    join("in its level", caller(2));
    const deeper = join("deeper", caller(3));
    expect(admission.hopeless()).toEqual([deeper]);
    expect(admission.admissible()).toEqual([]);
  });
});

interface Program {
  calls: Program[];
}

const program = (depth: number): fc.Arbitrary<Program> =>
  depth === 0 ? fc.constant({ calls: [] }) : fc.record({ calls: fc.array(program(depth - 1), { maxLength: 3 }) });

/**
 * Runs programs to their end over pools of so many places. Each calls its programs all at once, in the next pool, keeps
 * its place until they have ended, and then ends.
 *
 * @returns how many of them were never served
 */
function simulate(places: readonly number[], programs: readonly Program[], pick: (among: number) => number): number {
  interface Run extends Asker {
    pool: number;
    program: Program;
    parent: Run | undefined;
    open: number;
  }
  const pools = places.map((each) => ({ places: each, taken: 0, admission: createAdmission<Run>(each) }));
  const ready: Run[] = [];
  let unserved = 0;
  const ask = (given: Program, depth: number, parent?: Run) => {
    const pool = parent ? (parent.pool + 1) % pools.length : 0;
    const job = { depth, calls: given.calls.length > 0 };
    pools[pool]?.admission.join({ job, pool, program: given, parent, open: given.calls.length });
    unserved++;
  };
  for (const each of programs) ask(each, 0);
  for (;;) {
    for (const pool of pools) {
      for (const run of pool.admission.admissible()) {
        if (pool.taken === pool.places) break;
        pool.taken++;
        pool.admission.leave(run);
        pool.admission.enter(run.job);
        unserved--;
        ready.push(run);
      }
    }
    if (ready.length === 0) return unserved;
    const [run] = ready.splice(pick(ready.length), 1);
    if (!run) return unserved;
    if (run.open > 0) {
      for (const each of run.program.calls) ask(each, run.job.depth + 1, run);
      continue;
    }
    const pool = pools[run.pool];
    if (pool) pool.taken--;
    pool?.admission.exit(run.job);
    if (run.parent && --run.parent.open === 0) ready.push(run.parent);
  }
}

describe("programs that call programs", () => {
  const chain = (levels: number): Program => ({ calls: levels === 0 ? [] : [chain(levels - 1)] });
  const first = () => 0;

  it("all end, whatever they call in whichever order, in one pool or through several", () => {
    // Callers of depth 0 to 2 have their levels in 8 places.
    const anyPrograms = fc.array(program(3), { maxLength: 30 });
    const anyPools = fc.constantFrom([8], [8, 9], [9, 20, 8]);
    const anyOrder = fc.infiniteStream(fc.nat(1_000_000));
    const allEnd = fc.property(anyPrograms, anyPools, anyOrder, (programs, places, order) => {
      expect(simulate(places, programs, (among) => (order.next().value ?? 0) % among)).toBe(0);
    });
    fc.assert(allEnd, { numRuns: 100 });
  });

  it("may all be nested as deep as calls may be, where there are 56 places", () => {
    expect(simulate([56], Array<Program>(60).fill(chain(LIMITS.callDepth)), first)).toBe(0);
  });

  it("do not end without levels of their own: deeper than those many chains hold each other up", () => {
    expect(simulate([8], Array<Program>(40).fill(chain(3)), first)).toBe(0);
    expect(simulate([8], Array<Program>(40).fill(chain(12)), first)).toBeGreaterThan(0);
  });
});
