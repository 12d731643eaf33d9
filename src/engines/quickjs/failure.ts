import type { Thrown } from "../guest/describe.ts";
import type { EndHead } from "../process/protocol.ts";

/** What to do about a global that this engine does not have. QuickJS says no more than that it is not defined. */
const HINTS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ["process", "require", "Buffer", "module", "exports", "global", "__dirname", "__filename"].map((name) => [
      name,
      `${name} belongs to the Node API, which the quickjs engine does not have; ` +
        (name === "Buffer"
          ? "use Uint8Array, TextEncoder, TextDecoder, atob or btoa, or an engine with the Node API (docker)"
          : name === "global"
            ? "use globalThis"
            : "use plain JavaScript, or an engine with the Node API (docker)"),
    ]),
  ),
  fetch: "the sandbox has no network and fetch is not available in this version; pass the content in as an argument",
  XMLHttpRequest: "the sandbox has no network; pass the content in as an argument",
  WebSocket: "the sandbox has no network; pass the content in as an argument",
  Intl: "the quickjs engine has no Intl; format by hand, or use an engine with the Node API (docker)",
  WebAssembly: "the quickjs engine has no WebAssembly; use an engine with the Node API (docker)",
  AbortController: "the quickjs engine has no AbortController; use a flag, or an engine with the Node API (docker)",
  tools: "this run may not call other tools; tools.call(name, args) is there where code may do so",
};

const NOT_LOADED = /^could not load module '/;

function hintForImport({ name, message }: Thrown): string | undefined {
  if (name !== "ReferenceError" || !NOT_LOADED.test(message)) return undefined;
  return "the quickjs engine has no modules; packages and node: modules need the docker engine";
}

/** QuickJS's own words, of the version we ship. An author who throws the same only gets a hint more. */
const NOT_DEFINED = /^'?([\w$]+)'? is not defined$/;

export const TOO_MUCH_RECURSION = "too much recursion, or too deeply nested a value";

/** Maps what the guest threw to the end of its job, with the author's own line and column. */
export function describeFailure(
  thrown: Thrown,
  isNearlyFull: boolean,
  file: string,
  wrapperLines: number,
): Partial<EndHead> {
  if (thrown.kind === "null" && isNearlyFull) return { code: "OUT_OF_MEMORY" };
  switch (thrown.kind) {
    case "not-json":
      return { code: "RESULT_NOT_JSON", message: thrown.message };
    case "out-of-memory":
      return { code: "OUT_OF_MEMORY" };
    default:
      break;
  }
  const isRecursion = thrown.kind === "recursion";
  const missing = thrown.name === "ReferenceError" ? NOT_DEFINED.exec(thrown.message)?.[1] : undefined;
  const hint = missing !== undefined && Object.hasOwn(HINTS, missing) ? HINTS[missing] : hintForImport(thrown);
  const name = isRecursion ? "RangeError" : thrown.name;
  return {
    code: "CODE_THREW",
    message: isRecursion ? TOO_MUCH_RECURSION : hint === undefined ? thrown.message : `${thrown.message}: ${hint}`,
    ...(name === undefined || name === "" ? {} : { errorName: name }),
    ...positionIn(thrown.stack ?? "", file, wrapperLines),
  };
}

/** The first frame in the author's code. Frames look like `at run (file:3:9)` or `at file:3:9`. */
function positionIn(stack: string, file: string, wrapperLines: number): { line?: number; column?: number } {
  for (const frame of stack.split("\n")) {
    const match = /^\s*at (?:.* \()?(.+?):(\d+)(?::(\d+))?\)?$/.exec(frame);
    if (!match || match[1] !== file) continue;
    const line = Number(match[2]) - wrapperLines;
    if (line < 1) continue;
    return match[3] === undefined ? { line } : { line, column: Number(match[3]) };
  }
  return {};
}
