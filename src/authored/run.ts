import type { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { unfit } from "../core/problems.ts";
import { failedResult, LOGS_META, textContent } from "../core/results.ts";
import type { HostCalls } from "../core/source.ts";
import type { ToolResult } from "../core/item.ts";
import { type JobEnd, type JobFailed, NO_ACCESS } from "../engines/engine.ts";
import { isWrapped } from "./output-schema.ts";
import type { AuthoredServices, Runnable } from "./services.ts";
import { parseGuest } from "./services.ts";

/** Code does not reach other tools yet. */
const NO_HOST_CALLS: HostCalls = {
  call(method) {
    const why = `${method} is not available in this version: code cannot call other tools yet`;
    return Promise.reject(new DynamicMcpError("CAPABILITY_MISSING", why));
  },
};

/**
 * Runs a program under its own time limit, within the deadline of the call. Waiting for a sandbox is not run time.
 *
 * @throws the call's own end (cancelled, shut down, deadline of the call), which is no failure of the code
 * @throws ENGINE_UNAVAILABLE, OVERLOADED
 */
export async function runProgram(
  { engines, now, newSeed, settings }: Pick<AuthoredServices, "engines" | "now" | "newSeed" | "settings">,
  runnable: Runnable,
  args: JsonObject,
  deadline: Deadline,
): Promise<JobEnd> {
  const engine = engines[runnable.engine];
  if (!engine) {
    const why = `${runnable.name} was made for the engine ${runnable.engine}, which this server does not have; update the tool, or start the server with that engine`; // prettier-ignore
    throw new DynamicMcpError("ENGINE_UNAVAILABLE", why, { data: { engine: runnable.engine } });
  }
  deadline.throwIfEnded();
  const job = {
    program: runnable.program,
    argsJson: JSON.stringify(args),
    limits: settings.limits,
    runMs: Math.min(runnable.timeoutMs, settings.maxTimeoutMs),
    seed: newSeed(),
    startedAtMs: now(),
    may: NO_ACCESS,
    scope: "local",
  };
  const end = await engine.run(job, NO_HOST_CALLS, deadline);
  if (end.state === "failed") deadline.throwIfEnded();
  return end;
}

/** What the client gets of a run. `outputSchema` is the author's, not the wrapped one. */
export async function resultOf(
  end: JobEnd,
  { schemas }: Pick<AuthoredServices, "schemas">,
  tool: { name: string; outputSchema?: JsonObject | undefined },
): Promise<ToolResult> {
  if (end.state === "failed") return withLogs(failedResult(end.code, failureText(end), failureData(end)), end);
  const value = parseGuest(end.resultJson);
  if (tool.outputSchema) {
    const problems = await schemas.validate(tool.outputSchema, value);
    if (problems.length > 0) {
      const error = unfit(
        `${tool.name} ran, but what it returned does not fit its outputSchema`,
        problems,
        "INVALID_RESULT",
      );
      return withLogs(failedResult(error.code, error.message, { ...(error.data as JsonObject) }), end);
    }
  }
  const asIs = tool.outputSchema ? !isWrapped(tool.outputSchema) : isJsonObject(value);
  const structuredContent: Json = asIs ? value : { result: value };
  return withLogs({ content: [textContent(end.resultJson)], structuredContent }, end);
}

/** `TypeError: x is not a function (line 3, column 5)`; for limits the engine's own words. */
export function failureText(end: JobFailed): string {
  const name = end.errorName === undefined ? "" : `${end.errorName}: `;
  const at =
    end.line === undefined ? "" : ` (line ${end.line}${end.column === undefined ? "" : `, column ${end.column}`})`;
  return name + end.message + at;
}

function failureData({ errorName, line, column }: JobFailed): JsonObject {
  return {
    ...(errorName !== undefined && { errorName }),
    ...(line !== undefined && { line }),
    ...(column !== undefined && { column }),
  };
}

export function logsOf(end: JobEnd): JsonObject[] {
  const lines = end.logs.map(({ level, text }): JsonObject => ({ level, text }));
  if (end.logBytesDropped > 0) {
    lines.push({ level: "warn", text: `(${end.logBytesDropped} more bytes of console output did not fit)` });
  }
  return lines;
}

function withLogs(result: ToolResult, end: JobEnd): ToolResult {
  const logs = logsOf(end);
  return logs.length === 0 ? result : { ...result, _meta: { ...result._meta, [LOGS_META]: logs } };
}
