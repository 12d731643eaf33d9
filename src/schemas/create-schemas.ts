import { createHash } from "node:crypto";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { once } from "../core/once.ts";
import { unfit, type Problem } from "../core/problems.ts";
import { entryUrl } from "../machine/entries.ts";
import { createCheckingThread, type CheckingThreadOptions } from "./checking-thread.ts";
import { costOf, sizeOf } from "./cost.ts";
import { createJudge, type Marked } from "./judge.ts";
import type { Schemas } from "./schemas.ts";
import { structureProblems } from "./structure.ts";

/** What one check may cost here, on the thread of all: some 10 ms at most. The rest goes to the thread for checks. */
const MAX_STEPS = 200_000;
/** Collecting all that is wrong costs more for each step. */
const MAX_EXPLAINED_STEPS = 20_000;
/** Preparing a schema costs much more than using it: by its cost for each part, and by its JSON, in characters. */
const MAX_PREPARED_COST = 400;
const MAX_PREPARED = 50_000;
/** Longest JSON of a schema whose keywords are checked here, in characters. */
const MAX_KEYWORDS = 4_000;
/** Only smaller values are gone through a second time, for all that is wrong instead of the first. */
const EXPLAINED_VALUE = 50_000;

const DEFAULTS = { maxCheckMs: 1_000, penaltyMs: 5_000, idleMs: 30_000 };

/** A schema with what we found out about it. */
interface Known extends Marked {
  /** Of using it for each part of a value. */
  cost: number;
  chars: number;
}

/** {@link Schemas} with Ajv, which is loaded when the first schema comes. */
export function createSchemas(options: Partial<CheckingThreadOptions> = {}): Schemas {
  const thread = createCheckingThread({ checker: entryUrl("schema-checker"), ...DEFAULTS, ...options });
  const judge = once(async () => createJudge(await import("./ajv.ts")));
  /** By identity, for schemas that live as long as their tool. */
  const known = new WeakMap<JsonObject, Known>();

  function knownOf(schema: JsonObject): Known {
    const before = known.get(schema);
    if (before) return before;
    const text = JSON.stringify(schema);
    const mark = createHash("sha256").update(text).digest("hex");
    const cost = text.length > MAX_PREPARED ? Infinity : costOf(schema);
    const found = { schema, mark, cost, chars: text.length };
    known.set(schema, found);
    return found;
  }

  async function problemsOf(schema: JsonObject, value: unknown): Promise<readonly Problem[]> {
    const found = knownOf(schema);
    const size = sizeOf(value, EXPLAINED_VALUE);
    const steps = found.cost * size;
    if (found.cost <= MAX_PREPARED_COST && steps <= MAX_STEPS && size < EXPLAINED_VALUE) {
      const first = (await judge()).ofValue(found, value, "fits");
      if (first.length === 0) return first;
      if (steps <= MAX_EXPLAINED_STEPS) return (await judge()).ofValue(found, value, "explains");
    }
    return thread.check({
      schema: JSON.stringify(schema),
      mark: found.mark,
      what: "value",
      value: JSON.stringify(value),
      isExplained: size < EXPLAINED_VALUE,
    });
  }

  async function keywordProblems(schema: JsonObject): Promise<readonly Problem[]> {
    const found = knownOf(schema);
    const { mark } = found;
    if (found.chars <= MAX_KEYWORDS && found.cost <= MAX_PREPARED_COST) {
      const problems = (await judge()).ofSchema(schema);
      return problems.length > 0 ? problems : (await judge()).prepare(found, "fits");
    }
    return thread.check({ schema: JSON.stringify(schema), mark, what: "schema", isExplained: true });
  }

  return {
    async check(schema, what, role) {
      const problems: Problem[] = structureProblems(schema, role);
      if (problems.length === 0 && isJsonObject(schema)) problems.push(...(await keywordProblems(schema)));
      if (problems.length > 0) throw unfit(`${what} is not usable`, problems, "INVALID_SCHEMA");
    },

    async validate(schema, value) {
      try {
        return await problemsOf(schema, value);
      } catch (error) {
        // A value or schema that is nested too deep to be written as JSON.
        if (error instanceof RangeError) return [{ path: "", message: "is nested too deep to be checked" }];
        return [{ path: "", message: `cannot be checked: ${error instanceof Error ? error.message : String(error)}` }];
      }
    },
  };
}
