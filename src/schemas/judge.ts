import type { Ajv, ErrorObject, Options, ValidateFunction } from "ajv";
import type * as library from "./ajv.ts";
import type { JsonObject } from "../core/json.ts";
import type { Problem } from "../core/problems.ts";
import { explain } from "./explain.ts";
import { dialectOf, type Dialect } from "./structure.ts";

const MAX_VALIDATORS = 500;
/** Schemas that one instance of the library prepares: it keeps something of each, whatever is taken out again. */
const MAX_USES = 500;

/** A schema, and a text that is the same for the same schema. */
export interface Marked {
  schema: JsonObject;
  mark: string;
}

/** `fits` stops at the first thing that is wrong, `explains` collects all. */
export type Way = "fits" | "explains";

/** Checks at once, for as long as it takes: who asks sees to the time. Never throws. */
export interface Judge {
  /** What is wrong with the keywords of a schema. */
  ofSchema(schema: JsonObject): readonly Problem[];
  /** @returns why this schema cannot be used; empty when it is ready, which is remembered */
  prepare(schema: Marked, way: Way): readonly Problem[];
  /** Prepares the schema where that was not done yet. */
  ofValue(schema: Marked, value: unknown, way: Way): readonly Problem[];
}

type Libraries = typeof library;

type Validator = Partial<Record<Way, ValidateFunction>>;

export function createJudge(libraries: Libraries): Judge {
  const instances = new Map<string, { ajv: Ajv; uses: number }>();
  /** By mark, oldest use first. */
  const validators = new Map<string, Validator>();

  function instance(dialect: Dialect, isExplaining: boolean): Ajv {
    const key = `${dialect} ${isExplaining}`;
    let instance = instances.get(key);
    if (!instance || instance.uses >= MAX_USES) {
      instance = { ajv: load(libraries, dialect, isExplaining), uses: 0 };
      instances.set(key, instance);
    }
    instance.uses++;
    return instance.ajv;
  }

  function compile(schema: JsonObject, isExplaining: boolean): ValidateFunction {
    const ajv = instance(dialectOf(schema) ?? "2020-12", isExplaining);
    // The name of the whole would have to be unique among all tools; nothing may refer to it anyway. `$async` would
    // make each answer a promise.
    const { $id: _name, $schema: _dialect, $async: _promise, ...nameless } = schema;
    try {
      return ajv.compile(nameless);
    } finally {
      ajv.removeSchema(nameless);
    }
  }

  function validatorOf(mark: string): Validator {
    const validator = validators.get(mark) ?? {};
    validators.delete(mark);
    validators.set(mark, validator);
    for (const oldest of validators.keys()) {
      if (validators.size <= MAX_VALIDATORS) break;
      validators.delete(oldest);
    }
    return validator;
  }

  function prepared({ schema, mark }: Marked, way: Way): ValidateFunction {
    return (validatorOf(mark)[way] ??= compile(schema, way === "explains"));
  }

  return {
    ofSchema(schema) {
      try {
        const ajv = instance(dialectOf(schema) ?? "2020-12", true);
        return ajv.validateSchema(schema) === true ? [] : explain(firstOfEach(ajv.errors ?? []));
      } catch (error) {
        return [{ path: "", message: reasonOf(error) }];
      }
    },

    prepare(schema, way) {
      try {
        prepared(schema, way);
        return [];
      } catch (error) {
        return [{ path: "", message: reasonOf(error) }];
      }
    },

    ofValue(schema, value, way) {
      let fits: ValidateFunction;
      try {
        fits = prepared(schema, way);
      } catch (error) {
        return [{ path: "", message: `cannot be checked, because the schema ${reasonOf(error)}` }];
      }
      try {
        return answerOf(fits(value), fits);
      } catch (error) {
        const message = error instanceof RangeError ? TOO_DEEP : `cannot be checked: ${reasonOf(error)}`;
        return [{ path: "", message }];
      }
    },
  };
}

const TOO_DEEP = "is nested too deep to be checked";

/** Anything but a plain yes is no: a promise, too, whose failure is nobody else's. */
function answerOf(answer: unknown, fits: ValidateFunction): Problem[] {
  if (answer === true) return [];
  if (answer === false) return explain(fits.errors ?? []);
  Promise.resolve(answer).catch(() => {});
  return [{ path: "", message: "cannot be checked, because the schema does not answer at once" }];
}

function load({ Ajv, Ajv2020, formats }: Libraries, dialect: Dialect, isExplaining: boolean): Ajv {
  const options: Options = {
    // Unknown keywords and formats are annotations (JSON Schema 2020-12, Core 6.5).
    strict: false,
    logger: false,
    allErrors: isExplaining,
    verbose: true,
    validateSchema: false,
    // A thousand references to a large schema would be a thousand copies of it.
    inlineRefs: false,
  };
  const ajv = dialect === "2020-12" ? new Ajv2020(options) : new Ajv(options);
  formats.default(ajv, { mode: "fast" });
  return ajv;
}

/** The meta-schema complains once for each vocabulary: one complaint for each place is enough. */
function firstOfEach(errors: readonly ErrorObject[]): ErrorObject[] {
  const seen = new Set<string>();
  return errors.filter(({ instancePath }) => !seen.has(instancePath) && seen.add(instancePath));
}

function reasonOf(error: unknown): string {
  if (error instanceof RangeError) return "is nested too deep, or its references go round without end";
  return error instanceof Error ? error.message.slice(0, 300) : String(error);
}
