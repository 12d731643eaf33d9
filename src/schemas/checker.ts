import { parentPort } from "node:worker_threads";
import type { JsonObject } from "../core/json.ts";
import type { Problem } from "../core/problems.ts";
import * as libraries from "./ajv.ts";
import { createJudge } from "./judge.ts";

/** The program of the thread for checks that may take long: one in, its answer out. It says `ready` before the first. */
export interface ToChecker {
  /** JSON. */
  schema: string;
  mark: string;
  what: "schema" | "value";
  /** JSON; left out for no value at all. */
  value?: string | undefined;
  /** The value is small enough to be gone through a second time, for all that is wrong instead of the first. */
  isExplained: boolean;
}

/** `prepared`: what comes now is another piece of work, with a time of its own. */
export type FromChecker = "ready" | "prepared" | { problems: readonly Problem[]; isLast: boolean };

/** Longer schemas, in characters, are prepared one way only: the other nests its code with each property. */
const LARGE = 20_000;

const port = parentPort;
if (!port) throw new Error("this program runs as a worker thread of dynamic-mcp");
const judge = createJudge(libraries);
const tell = (message: FromChecker) => port.postMessage(message);

port.on("message", ({ schema: text, mark, what, value: json, isExplained }: ToChecker) => {
  const marked = { schema: JSON.parse(text) as JsonObject, mark };
  const way = text.length > LARGE ? "explains" : "fits";
  if (what === "schema") {
    const problems = judge.ofSchema(marked.schema);
    if (problems.length > 0) return tell({ problems, isLast: true });
    tell("prepared");
    return tell({ problems: judge.prepare(marked, way), isLast: true });
  }
  judge.prepare(marked, way);
  tell("prepared");
  const value: unknown = json === undefined ? undefined : JSON.parse(json);
  const first = judge.ofValue(marked, value, way);
  const isLast = first.length === 0 || !isExplained || way === "explains";
  tell({ problems: first, isLast });
  if (!isLast) tell({ problems: judge.ofValue(marked, value, "explains"), isLast: true });
});
tell("ready");
