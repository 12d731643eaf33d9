import type { ZodType, output } from "zod";
import type * as zod from "../core/zod.ts";

/** The parts of zod that settings use; loaded when there is a value to check, not at every start. */
export type Zod = typeof zod;

/** How a value is written as text, in a variable or behind a flag. */
export type Form = "text" | "number" | "switch" | "list";

/** What `derived` values may look at: everything that is known before them. */
export interface Known {
  /** Values by their key, `group.name`; those that are given or have a fixed default. */
  get(key: string): unknown;
  /** The platform's folder for data of programs, joined with our name. */
  platformDataDir: string;
  join(...parts: string[]): string;
  dirname(path: string): string;
}

interface Names {
  /** One plain sentence for people. Generated pages show it as it is. */
  about: string;
  /** Public names. The first is ours; the others are accepted too, and looked at in this order. */
  env?: string | readonly string[];
  flag: `--${string}` | readonly `--${string}`[];
  /** `ms`, `s`, `bytes`, `MiB`, `days` ...; empty for what has none. */
  unit?: string;
  /** Never shown: not in messages, logs, `config explain`. */
  isSecret?: boolean;
  /** A file or folder. Relative to the current folder; in a configuration file to the folder of the file. */
  isPath?: boolean;
  /** An empty variable is a value (an empty list), not "unset". */
  emptyIsValue?: boolean;
  /** Other spellings of values. */
  words?: Readonly<Record<string, string>>;
  /** Reads a text that plain conversion does not understand; `undefined` when it does not either. */
  fromText?: (text: string) => unknown;
  /** What a value must be, where its type does not say it well: `a path that starts with a slash`. */
  expects?: string;
  /** Accepted, and without effect until this feature exists. */
  until?: string;
  /** Accepted for the sake of older configurations, and not used: why. */
  obsolete?: string;
  /** How the meaning differs from the older system that had this name. */
  difference?: string;
  /** Written into the template for production as it is; other settings are commented out there. */
  production?: string;
}

export interface Setting<T> extends Names {
  readonly type: (z: Zod) => ZodType;
  readonly form: Form;
  readonly default?: T;
  readonly derived?: { text: string; from: (known: Known) => T };
  /** Never set: carries the type. */
  readonly value?: T;
}

/** Where the value comes from when nobody gives one: fixed, or from other settings. */
type Fallback<T> = { default: T } | { derived: { text: string; from: (known: Known) => T }; form?: Form };

/**
 * One setting: its zod type, default, description and public names. Everything that users see of it is made from this.
 *
 * @param type made when there is a value to check; bounds belong into it
 */
export function setting<S extends ZodType>(type: (z: Zod) => S, names: Names & Fallback<output<S>>): Setting<output<S>>;
export function setting<S extends ZodType>(
  type: (z: Zod) => S,
  names: Names & { default?: never; derived?: never; form?: Form },
): Setting<output<S> | undefined>;
export function setting(
  type: (z: Zod) => ZodType,
  names: Names & { default?: unknown; form?: Form },
): Setting<unknown> {
  return { ...names, type, form: names.form ?? formOf(names.default) };
}

function formOf(value: unknown): Form {
  if (typeof value === "boolean") return "switch";
  if (typeof value === "number") return "number";
  return Array.isArray(value) ? "list" : "text";
}

export function envNames(one: Setting<unknown>): readonly string[] {
  return one.env === undefined ? [] : typeof one.env === "string" ? [one.env] : one.env;
}

export function flagNames(one: Setting<unknown>): readonly string[] {
  return typeof one.flag === "string" ? [one.flag] : one.flag;
}
