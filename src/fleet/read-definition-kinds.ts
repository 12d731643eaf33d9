import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { nearest } from "../core/names.ts";
import { show } from "../core/problems.ts";

/** What a value may be: how it is read, and what editors are told. No library: this is on the way of every start. */
export interface Kind<T> {
  /** The end of "must be ...". */
  expects: string;
  /** JSON Schema 2020-12 of what may be written. */
  schema: JsonObject;
  /** Takes objects with keys of their own. */
  isObject?: boolean;
  /** @returns undefined after `tell` was told what is wrong */
  read(value: Json, at: string, tell: Tell): T | undefined;
}

/** @param at where in the definition: `tools.allow[0]` */
export type Tell = (at: string, message: string) => undefined;

export interface Field<T> {
  kind: Kind<T>;
  /** One plain sentence for people. */
  about: string;
}

/** Values never show: they may be secrets. */
function kindOf<T>(expects: string, schema: JsonObject, take: (value: Json) => T | undefined): Kind<T> {
  return {
    expects,
    schema,
    read(value, at, tell) {
      const taken = take(value);
      if (taken === undefined)
        tell(at, `must be ${expects}, got ${typeof value === "string" ? "a text" : show(value)}`);
      return taken;
    },
  };
}

const MAX_CHARS = 65_536;

export const text: Kind<string> = kindOf(
  `a text of 1 to ${MAX_CHARS} characters`,
  { type: "string", minLength: 1, maxLength: MAX_CHARS },
  (value) =>
    typeof value === "string" && value !== "" && value.length <= MAX_CHARS && !value.includes("\0") ? value : undefined,
);

/** Also of variables and headers, which may be empty, and which people write as numbers. */
const loose: Kind<string> = kindOf(
  `a text of at most ${MAX_CHARS} characters`,
  { type: ["string", "number", "boolean"], maxLength: MAX_CHARS },
  (value) => {
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    return typeof value === "string" && value.length <= MAX_CHARS && !value.includes("\0") ? value : undefined;
  },
);

export const flag: Kind<boolean> = kindOf("true or false", { type: "boolean" }, (value) => {
  if (value === "true") return true; // a variable gave it
  if (value === "false") return false;
  return typeof value === "boolean" ? value : undefined;
});

export function wholeNumber(least: number, most: number): Kind<number> {
  return kindOf(
    `a whole number from ${least} to ${most}`,
    { type: "integer", minimum: least, maximum: most },
    (value) => {
      const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
      return Number.isSafeInteger(number) && Number(number) >= least && Number(number) <= most
        ? Number(number)
        : undefined;
    },
  );
}

export function oneOf<const W extends string>(words: readonly W[]): Kind<W> {
  const kind = kindOf(`one of ${words.join(", ")}`, { enum: [...words] }, (value) =>
    words.find((word) => word === value),
  );
  return {
    ...kind,
    read(value, at, tell) {
      // A word like theirs is no secret.
      const isWord = typeof value === "string" && /^[A-Za-z][\w-]{0,29}$/.test(value);
      const near = isWord && nearest(value, words);
      return kind.read(value, at, (where, message) => {
        const got = isWord ? `must be ${kind.expects}, got ${JSON.stringify(value)}` : message;
        return tell(where, near ? `${got}; did you mean ${near}?` : got);
      });
    },
  };
}

const UNITS_MS = { ms: 1, s: 1_000, sec: 1_000, m: 60_000, min: 60_000, h: 3_600_000 } as const;
const MAX_MS = 86_400_000;
const DURATION = /^(\d{1,12}(?:\.\d{1,6})?)\s*(ms|s|sec|m|min|h)?$/;

/**
 * In ms. A number alone is seconds, as in dmcp's files, or milliseconds, as others write.
 *
 * @param leastMs from which number on it is milliseconds
 */
function durationOf(leastMs: number): Kind<number> {
  return kindOf(
    "a time from 1ms to 24h, such as 30s, 500ms, 2min, 1h, or a number of seconds or milliseconds",
    {
      anyOf: [
        { type: "number", exclusiveMinimum: 0, maximum: MAX_MS },
        { type: "string", pattern: String.raw`^\d+(\.\d+)?\s*(ms|s|sec|m|min|h)?$|\$\{` },
      ],
    },
    (value) => {
      const [, digits, unit] = (typeof value === "string" && DURATION.exec(value.trim())) || [];
      if (typeof value !== "number" && digits === undefined) return undefined;
      const number = Number(digits ?? value);
      const perUnit = unit === undefined ? (number >= leastMs ? 1 : 1_000) : UNITS_MS[unit as keyof typeof UNITS_MS];
      const ms = number * perUnit;
      return ms >= 1 && ms <= MAX_MS ? Math.round(ms) : undefined;
    },
  );
}

/** Nobody waits for an answer for hours, and others write `30000` for half a minute. */
const LEAST_TIMEOUT_MS = 10_000;

export const timeout: Kind<number> = durationOf(LEAST_TIMEOUT_MS);
/** Milliseconds only where seconds would be more than a day. */
export const duration: Kind<number> = durationOf(MAX_MS / 1_000 + 1);

/** Whether a {@link timeout} is written as a number of milliseconds, without its unit. */
export function isBareMs(written: Json | undefined): written is number | string {
  const isNumber = typeof written === "number" || (typeof written === "string" && /^\s*\d+(\.\d+)?\s*$/.test(written));
  return isNumber && Number(written) >= LEAST_TIMEOUT_MS;
}

export const never: Kind<false> = kindOf("false", { const: false }, (value) => (value === false ? false : undefined));

export function either<A, B>(a: Kind<A>, b: Kind<B>): Kind<A | B> {
  const expects = `${a.expects}, or ${b.expects}`;
  return {
    expects,
    get schema() {
      return { anyOf: [a.schema, b.schema] };
    },
    read(value, at, tell) {
      // What is an object at all is meant to be the kind that takes objects: it tells best what is wrong in it.
      if (isJsonObject(value) && b.isObject) return b.read(value, at, tell);
      const quiet = () => undefined;
      const taken = a.read(value, at, quiet) ?? b.read(value, at, quiet);
      if (taken === undefined) tell(at, `must be ${expects}`);
      return taken;
    },
  };
}

const MAX_ENTRIES = 10_000;

export function listOf<T>(each: Kind<T>): Kind<T[]> {
  return {
    expects: "a list",
    schema: { type: "array", items: each.schema, maxItems: MAX_ENTRIES },
    read(value, at, tell) {
      if (Array.isArray(value) && value.length <= MAX_ENTRIES) {
        const items = value.map((item, index) => each.read(item, `${at}[${index}]`, tell));
        return items.some((item) => item === undefined) ? undefined : (items as T[]);
      }
      return tell(at, `must be a list of at most ${MAX_ENTRIES}, got ${typeof value === "string" ? "a text" : show(value)}`); // prettier-ignore
    },
  };
}

/** @param keyExpects what a key must be, in words for whom it is not */
export function mapOf(keyName: RegExp, keyExpects: string): Kind<Record<string, string>> {
  return {
    expects: "an object of texts",
    schema: { type: "object", additionalProperties: loose.schema },
    read(value, at, tell) {
      if (!isJsonObject(value)) return tell(at, `must be an object of texts, got ${typeof value === "string" ? "a text" : show(value)}`); // prettier-ignore
      const entries: [string, string][] = [];
      for (const [key, raw] of Object.entries(value)) {
        if (!keyName.test(key)) tell(at, `${JSON.stringify(key.slice(0, 60))} is not ${keyExpects}`);
        const one = loose.read(raw, `${at}.${key.slice(0, 60)}`, tell);
        if (one !== undefined) entries.push([key, one]);
      }
      return Object.fromEntries(entries);
    },
  };
}

const ONE_STAR = /^[^*]*\*[^*]*$/;

/** Names to names; a key with `*` is a pattern, and its value says where what the `*` stood for goes. */
export function renamesOf(names: Kind<Record<string, string>>): Kind<Record<string, string>> {
  return {
    ...names,
    schema: {
      ...names.schema,
      propertyNames: { pattern: String.raw`^[^*]*\*?[^*]*$` },
      patternProperties: { [String.raw`\*`]: { type: "string", pattern: String.raw`${ONE_STAR.source}|\$\{` } },
    },
    read(value, at, tell) {
      const read = names.read(value, at, tell);
      for (const [from, to] of Object.entries(read ?? {})) {
        if (!from.includes("*") || (ONE_STAR.test(from) && ONE_STAR.test(to))) continue;
        tell(at, `${JSON.stringify(from.slice(0, 60))} is a pattern: it and its new name need one * each`);
      }
      return read;
    },
  };
}

export type Fields = Readonly<Record<string, Field<unknown>>>;
export type ValuesOf<F extends Fields> = { [K in keyof F]?: F[K] extends Field<infer T> ? T : never };

/** @param passed keys that are let through unread */
export function objectOf<F extends Fields>(
  fields: F,
  passed: (key: string) => boolean = () => false,
): Kind<ValuesOf<F>> {
  return {
    expects: "an object",
    isObject: true,
    get schema() {
      const properties = Object.entries(fields).map(([key, { kind, about }]) => [key, { description: about, ...kind.schema }]); // prettier-ignore
      return { type: "object", additionalProperties: false, properties: Object.fromEntries(properties) as JsonObject };
    },
    read(value, at, tell) {
      if (!isJsonObject(value)) return tell(at, `must be an object, got ${typeof value === "string" ? "a text" : show(value)}`); // prettier-ignore
      const values: Record<string, unknown> = {};
      for (const [key, raw] of Object.entries(value)) {
        const path = at === "" ? key.slice(0, 60) : `${at}.${key.slice(0, 60)}`;
        const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
        // Some programs write null for what is not set.
        if (field) values[key] = raw === null ? undefined : field.kind.read(raw, path, tell);
        else if (!passed(key)) tell(path, unknownKey(key, Object.keys(fields)));
      }
      return values as ValuesOf<F>;
    },
  };
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return `is not a known key${near ? `; did you mean ${JSON.stringify(near)}?` : `; known are ${known.join(", ")}`}`;
}
