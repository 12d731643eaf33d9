import type { Ajv, ErrorObject, Options, ValidateFunction } from "ajv";
import { createHash } from "node:crypto";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { unfit, type Problem } from "../core/problems.ts";
import { withinTime } from "./bounded.ts";
import { explain } from "./explain.ts";
import type { Schemas } from "./schemas.ts";
import { dialectOf, structureProblems, type Dialect } from "./structure.ts";

const MAX_VALIDATORS = 500;
/** Schemas that one instance of the library prepares: it keeps something of each, whatever is taken out again. */
const MAX_USES = 500;
/** For one check of one value, and for compiling one schema, in ms. */
const MAX_CHECK_MS = 1_000;
/** Values with fewer parts and characters than this are checked without a clock, unless the schema is risky. */
const SMALL_VALUE = 2_000;
/** Only smaller values are gone through a second time, for all that is wrong instead of the first. */
const EXPLAINED_VALUE = 50_000;
/** Time that does not grow evenly with the value. */
const RISKY = /"(pattern|patternProperties|uniqueItems|\$ref|\$dynamicRef)":/;

interface Validator {
  isRisky: boolean;
  fits: ValidateFunction;
  /** Collects all that is wrong; made when first needed. */
  explains?: ValidateFunction;
}

/** {@link Schemas} with Ajv, which is loaded when the first schema comes. */
export function createSchemas(): Schemas {
  const libraries = new Map<string, { ajv: Promise<Ajv>; uses: number }>();
  /** By identity, for schemas that live as long as their tool. */
  const known = new WeakMap<JsonObject, Validator>();
  /** By digest, oldest use first. */
  const validators = new Map<string, Validator>();

  function library(dialect: Dialect, isExplaining: boolean): Promise<Ajv> {
    const key = `${dialect} ${isExplaining}`;
    let library = libraries.get(key);
    if (!library || library.uses >= MAX_USES) {
      library = { ajv: load(dialect, isExplaining), uses: 0 };
      libraries.set(key, library);
      // Whoever asked hears of it; who asks next tries again.
      library.ajv.catch(() => libraries.delete(key));
    }
    library.uses++;
    return library.ajv;
  }

  async function compile(schema: JsonObject, isExplaining: boolean): Promise<ValidateFunction> {
    const dialect = dialectOf(schema) ?? "2020-12";
    const ajv = await library(dialect, isExplaining);
    // The name of the whole would have to be unique among all tools; nothing may refer to it anyway.
    const { $id: _name, $schema: _dialect, ...nameless } = schema;
    try {
      const compiled = withinTime(() => ajv.compile(nameless), MAX_CHECK_MS);
      if (compiled) return compiled.value;
    } finally {
      ajv.removeSchema(nameless);
    }
    // Stopped half-way: its inner state cannot be trusted any more.
    libraries.delete(`${dialect} ${isExplaining}`);
    throw new Error(`cannot be prepared within ${MAX_CHECK_MS} ms; make it simpler`);
  }

  async function validatorOf(schema: JsonObject): Promise<Validator> {
    const same = known.get(schema);
    if (same) return same;
    const text = JSON.stringify(schema);
    const digest = createHash("sha256").update(text).digest("hex");
    const validator = validators.get(digest) ?? { isRisky: RISKY.test(text), fits: await compile(schema, false) };
    validators.delete(digest);
    validators.set(digest, validator);
    for (const oldest of validators.keys()) {
      if (validators.size <= MAX_VALIDATORS) break;
      validators.delete(oldest);
    }
    known.set(schema, validator);
    return validator;
  }

  return {
    async check(schema, what, role) {
      const problems = structureProblems(schema, role);
      if (problems.length === 0 && isJsonObject(schema)) problems.push(...(await keywordProblems(schema)));
      if (problems.length > 0) throw unfit(`${what} is not usable`, problems, "INVALID_SCHEMA");
    },

    async validate(schema, value) {
      let validator: Validator;
      try {
        validator = await validatorOf(schema);
      } catch (error) {
        return [{ path: "", message: `cannot be checked, because the schema ${messageOf(error)}` }];
      }
      const size = sizeOf(value, EXPLAINED_VALUE);
      const isQuick = size < SMALL_VALUE && !validator.isRisky;
      const run = (check: ValidateFunction) => check(value);
      try {
        const outcome = isQuick ? { value: run(validator.fits) } : withinTime(() => run(validator.fits), MAX_CHECK_MS);
        if (!outcome) return [TOO_SLOW];
        if (outcome.value) return [];
        const first = explain(validator.fits.errors ?? []);
        if (size >= EXPLAINED_VALUE) return first;
        validator.explains ??= await compile(schema, true);
        const all = validator.explains;
        return withinTime(() => run(all), MAX_CHECK_MS) ? explain(all.errors ?? []) : first;
      } catch (error) {
        // Endless recursion in the schema, or a value that is nested too deep.
        if (error instanceof RangeError) return [{ path: "", message: "is nested too deep to be checked" }];
        throw error;
      }
    },
  };

  async function keywordProblems(schema: JsonObject): Promise<Problem[]> {
    const ajv = await library(dialectOf(schema) ?? "2020-12", true);
    try {
      const isSchema = withinTime(() => ajv.validateSchema(schema) === true, MAX_CHECK_MS);
      if (!isSchema) return [TOO_SLOW];
      if (!isSchema.value) return explain(firstOfEach(ajv.errors ?? []));
      await compile(schema, false);
      return [];
    } catch (error) {
      return [{ path: "", message: messageOf(error) }];
    }
  }
}

const TOO_SLOW: Problem = {
  path: "",
  message: `takes longer than ${MAX_CHECK_MS} ms to check; send less, or make the patterns simpler`,
};

async function load(dialect: Dialect, isExplaining: boolean): Promise<Ajv> {
  const options: Options = {
    // Unknown keywords and formats are annotations (JSON Schema 2020-12, Core 6.5).
    strict: false,
    logger: false,
    allErrors: isExplaining,
    verbose: true,
    validateSchema: false,
  };
  const { Ajv, Ajv2020, formats } = await import("./ajv.ts");
  const ajv = dialect === "2020-12" ? new Ajv2020(options) : new Ajv(options);
  formats.default(ajv, { mode: "fast" });
  return ajv;
}

/** The meta-schema complains once for each vocabulary: one complaint for each place is enough. */
function firstOfEach(errors: readonly ErrorObject[]): ErrorObject[] {
  const seen = new Set<string>();
  return errors.filter(({ instancePath }) => !seen.has(instancePath) && seen.add(instancePath));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 300) : String(error);
}

/** Parts and characters of a value, counted no further than `cap`. */
function sizeOf(value: unknown, cap: number): number {
  let size = 0;
  const waiting: unknown[] = [value];
  while (waiting.length > 0 && size < cap) {
    const each = waiting.pop();
    if (typeof each === "string") size += each.length;
    size++;
    if (typeof each === "object" && each !== null) {
      for (const inner of Object.values(each)) waiting.push(inner);
    }
  }
  return size;
}
