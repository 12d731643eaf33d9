import type * as z from "zod";
import { DynamicMcpError, type ErrorCode } from "./errors.ts";
import { isJsonObject } from "./json.ts";
import { nearest } from "./names.ts";

/** One thing that does not fit a schema, in words that a model can act on. */
export interface Problem {
  /** JSON Pointer (RFC 6901) into the value; empty for the value itself. */
  path: string;
  /** What was expected and what came; no path in it. */
  message: string;
}

const SHOWN_PROBLEMS = 8;

/** @param what the beginning of the sentence: `the arguments of text.upper do not fit its schema` */
export function unfit(what: string, problems: readonly Problem[], code: ErrorCode = "INVALID_ARGUMENTS") {
  const shown = problems.slice(0, SHOWN_PROBLEMS);
  const lines = shown.map(({ path, message }) => (path ? `${path} ${message}` : message));
  const more = problems.length > shown.length ? `; and ${problems.length - shown.length} more` : "";
  return new DynamicMcpError(code, `${what}: ${lines.join("; ")}${more}`, {
    data: { problems: shown.map((each) => ({ ...each })) },
  });
}

/** A name as one part of a JSON Pointer. */
export function pointer(path: string, key: PropertyKey): string {
  const shown = clip(String(key), 64).replaceAll("~", "~0").replaceAll("/", "~1");
  return `${path}/${shown}`;
}

/** A value in a message: its type, and the value when it is short. */
export function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return `the string ${JSON.stringify(clip(value, 60))}`;
  if (typeof value === "number") return `the number ${value}`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return isJsonObject(value) ? "an object" : typeof value;
}

/** "unknown property", with the nearest known one that is not there yet. */
export function unknownProperty(key: string, known: readonly string[], present: readonly string[] = []): string {
  const free = known.filter((name) => !present.includes(name));
  const near = nearest(key, free);
  const hint = near
    ? `; did you mean ${JSON.stringify(near)}?`
    : known.length === 0
      ? "; no properties are expected here"
      : `; known are ${known.slice(0, 24).join(", ")}${known.length > 24 ? ", ..." : ""}`;
  return `unknown property ${JSON.stringify(clip(key, 64))}${hint}`;
}

/**
 * zod's issues in the same words.
 *
 * @param known  the keys that an object at this path may have, for "did you mean"
 */
export function zodProblems(
  error: z.ZodError,
  input: unknown,
  known: (path: readonly PropertyKey[]) => readonly string[] = () => [],
): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    const path = issue.path.reduce<string>(pointer, "");
    const value = valueAt(input, issue.path);
    if (issue.code === "unrecognized_keys") {
      const present = isJsonObject(value) ? Object.keys(value) : [];
      return issue.keys.map((key) => ({ path, message: unknownProperty(key, known(issue.path), present) }));
    }
    if (issue.code === "invalid_type" && value === undefined) {
      return [{ path, message: `is required (${issue.expected})` }];
    }
    if (issue.code === "invalid_type") return [{ path, message: `must be ${issue.expected}, got ${show(value)}` }];
    if (issue.code === "invalid_value") {
      const one = issue.values.map((each) => JSON.stringify(each)).join(", ");
      return [{ path, message: `must be ${issue.values.length > 1 ? "one of " : ""}${one}, got ${show(value)}` }];
    }
    if (issue.code === "too_big" || issue.code === "too_small") {
      const bound = issue.code === "too_big" ? `at most ${issue.maximum}` : `at least ${issue.minimum}`;
      const size = typeof value === "string" || Array.isArray(value) ? ` ${sizeWord(value)}, got ${value.length}` : `, got ${show(value)}`; // prettier-ignore
      return [{ path, message: `must be ${bound}${size}` }];
    }
    return [{ path, message: `${lowerFirst(issue.message)}, got ${show(value)}` }];
  });
}

const sizeWord = (value: string | unknown[]) => (typeof value === "string" ? "characters long" : "items long");

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function clip(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, chars)}... (${text.length} characters)`;
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);
