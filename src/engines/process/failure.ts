import type { Thrown } from "../guest/describe.ts";
import type { EndHead } from "./protocol.ts";

export const TOO_MUCH_RECURSION = "too much recursion, or too deeply nested a value";

/** What to do about a global that no engine has, or only for those who may use it. */
const HINTS: Readonly<Record<string, string>> = {
  fetch:
    "the sandbox has no network; fetch(url) is there where the operator and the tool allow hosts, else pass the " +
    "content in as an argument",
  XMLHttpRequest: "the sandbox has no network; use fetch where it is allowed, or pass the content in as an argument",
  WebSocket: "the sandbox has no network; use fetch where it is allowed, or pass the content in as an argument",
  EventSource: "the sandbox has no network; use fetch where it is allowed, or pass the content in as an argument",
  tools: "this run may not call other tools; tools.call(name, args) is there where code may do so",
  secrets: "this run may not read secrets; secrets.get(name) is there where the operator allows it",
};

/** The interpreters' own words. An author who throws the same only gets a hint more. */
const NOT_DEFINED = /^'?([\w$]+)'? is not defined$/;

/** @param own hints of an engine, by name */
export function hintForMissing({ name, message }: Thrown, own: Readonly<Record<string, string>>): string | undefined {
  const missing = name === "ReferenceError" ? NOT_DEFINED.exec(message)?.[1] : undefined;
  if (missing === undefined) return undefined;
  if (Object.hasOwn(own, missing)) return own[missing];
  return Object.hasOwn(HINTS, missing) ? HINTS[missing] : undefined;
}

/** Where the author's code stands in what was evaluated. */
export interface Place {
  file: string;
  /** Lines that stand before the author's first. */
  wrapperLines: number;
}

/** Maps what the guest threw to the end of its job, with the author's own line and column. */
export function describeFailure(thrown: Thrown, place: Place, hint: string | undefined): Partial<EndHead> {
  switch (thrown.kind) {
    case "not-json":
      return { code: "RESULT_NOT_JSON", message: thrown.message };
    case "out-of-memory":
      return { code: "OUT_OF_MEMORY" };
    default:
      break;
  }
  const isRecursion = thrown.kind === "recursion";
  const name = isRecursion ? "RangeError" : thrown.name;
  return {
    code: "CODE_THREW",
    message: isRecursion ? TOO_MUCH_RECURSION : hint === undefined ? thrown.message : `${thrown.message}: ${hint}`,
    ...(name === undefined || name === "" ? {} : { errorName: name }),
    ...(thrown.code === undefined ? {} : { errorCode: thrown.code }),
    ...positionIn(thrown.stack ?? "", place),
  };
}

/** The first frame in the author's code. Frames look like `at run (file:3:9)`, `at file:3:9` or `at async file:3:9`. */
function positionIn(stack: string, { file, wrapperLines }: Place): { line?: number; column?: number } {
  for (const frame of stack.split("\n")) {
    const match = /^\s*at (?:async )?(?:.* \()?(.+?):(\d+)(?::(\d+))?\)?$/.exec(frame);
    if (!match || match[1] !== file) continue;
    const line = Number(match[2]) - wrapperLines;
    if (line < 1) continue;
    return match[3] === undefined ? { line } : { line, column: Number(match[3]) };
  }
  return {};
}
