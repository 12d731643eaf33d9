import * as vm from "node:vm";
import { AFTER, BEFORE, WRAPPER_LINES } from "../wrapper.ts";

export type AuthorFunction = (args: unknown) => Promise<unknown>;

/**
 * `import()` in the author's code is Node's own, from the working folder on. A Node too old to give that to a script
 * (before 20.12) gives it to what is evaluated in a file like ours; from there on it looks up to `/node_modules` too.
 */
const { Script } = vm;
const loader = (vm as { constants?: typeof vm.constants }).constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER;
const { eval: evaluateHere } = globalThis as { eval(code: string): unknown };

/** Lines of the wrapper that Node counts in the positions of the author's code. */
export const COUNTED_LINES = loader === undefined ? WRAPPER_LINES : 0;

/** @param file is what its errors name; @throws SyntaxError */
export function evaluateAuthorCode(code: string, file: string): AuthorFunction {
  const wrapped = BEFORE + code + AFTER;
  if (loader === undefined) return evaluateHere(`${wrapped}\n//# sourceURL=${file}`) as AuthorFunction;
  const script = new Script(wrapped, {
    filename: file,
    lineOffset: -WRAPPER_LINES,
    importModuleDynamically: loader,
  });
  return script.runInThisContext() as AuthorFunction;
}
