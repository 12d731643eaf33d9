import type { Thrown } from "../guest/describe.ts";
import { describeFailure as describe, hintForMissing, type Place } from "../process/failure.ts";
import type { EndHead } from "../process/protocol.ts";

const OTHER_ENGINE = "an engine with the Node API (docker or node)";

/** What to do about a global that this engine does not have. QuickJS says no more than that it is not defined. */
const HINTS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ["process", "require", "Buffer", "module", "exports", "global", "__dirname", "__filename"].map((name) => [
      name,
      `${name} belongs to the Node API, which the quickjs engine does not have; ` +
        (name === "Buffer"
          ? `use Uint8Array, TextEncoder, TextDecoder, atob or btoa, or ${OTHER_ENGINE}`
          : name === "global"
            ? "use globalThis"
            : `use plain JavaScript, or ${OTHER_ENGINE}`),
    ]),
  ),
  Intl: `the quickjs engine has no Intl; format by hand, or use ${OTHER_ENGINE}`,
  WebAssembly: `the quickjs engine has no WebAssembly; use ${OTHER_ENGINE}`,
  AbortController: `the quickjs engine has no AbortController; use a flag, or ${OTHER_ENGINE}`,
};

const NOT_LOADED = /^could not load module '/;

function hintForImport({ name, message }: Thrown): string | undefined {
  if (name !== "ReferenceError" || !NOT_LOADED.test(message)) return undefined;
  return "the quickjs engine has no modules; packages and node: modules need the docker or the node engine";
}

/** Maps what the guest threw to the end of its job, with the author's own line and column. */
export function describeFailure(thrown: Thrown, isNearlyFull: boolean, place: Place): Partial<EndHead> {
  if (thrown.kind === "null" && isNearlyFull) return { code: "OUT_OF_MEMORY" };
  return describe(thrown, place, hintForMissing(thrown, HINTS) ?? hintForImport(thrown));
}
