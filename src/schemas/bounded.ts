import { Script, createContext } from "node:vm";

/*
 * Regular expressions, `uniqueItems` and recursive references of a schema can take hours on the right value, and they
 * run in our process. The timeout of `node:vm` ends whatever runs below it, also a regular expression that backtracks
 * (the context is no boundary here, only the holder of that clock). It costs 0.12 ms, so small values of harmless
 * schemas go without.
 */
const holder: { job?: () => unknown } = createContext({});
const TIMEOUT_CODE = "ERR_SCRIPT_EXECUTION_TIMEOUT";
const script = new Script("job()");

/** @returns what `job` returned, or `undefined` when it was stopped after `ms` */
export function withinTime<T>(job: () => T, ms: number): { value: T } | undefined {
  let done: { value: T } | undefined;
  holder.job = () => {
    done = { value: job() };
  };
  try {
    script.runInContext(holder, { timeout: ms });
  } catch (error) {
    if (!isTimeout(error)) throw error;
    done = undefined;
  } finally {
    delete holder.job;
  }
  return done;
}

function isTimeout(error: unknown): boolean {
  // Made in the other context, so not an `Error` of ours.
  return typeof error === "object" && error !== null && "code" in error && error.code === TIMEOUT_CODE;
}
