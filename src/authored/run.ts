import { DynamicMcpError } from "../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { unfit } from "../core/problems.ts";
import { hideInJsonText, hideValues } from "../core/redact.ts";
import { failedResult, LOGS_META, textContent } from "../core/results.ts";
import type { ToolResult } from "../core/item.ts";
import type { Job, JobEnd, JobFailed } from "../engines/engine.ts";
import type { Actor } from "./authored.ts";
import type { JobHostCalls } from "./host-calls.ts";
import { isWrapped } from "./output-schema.ts";
import { withLayer } from "./prepare.ts";
import type { AuthoredServices, Runnable } from "./services.ts";
import { parseGuest } from "./services.ts";

/**
 * Runs a program under its own time limit, within the deadline of the call. Waiting for a sandbox, or for packages that
 * are no longer on this machine, is not run time.
 *
 * @throws the call's own end (cancelled, shut down, deadline of the call), which is no failure of the code
 * @throws ENGINE_UNAVAILABLE, OVERLOADED, IMAGE_*, PACKAGE_*, REGISTRY_UNAVAILABLE
 */
export async function runProgram(
  services: RunServices,
  runnable: Runnable,
  args: JsonObject,
  by: Actor,
): Promise<JobEnd> {
  const { engines, packages } = services;
  const { engine: name, lock, bundle } = runnable;
  const engine = engines[name];
  if (!engine) {
    const why = `${runnable.name} was made for the engine ${name}, which this server does not have; update the tool, or start the server with that engine`; // prettier-ignore
    throw new DynamicMcpError("ENGINE_UNAVAILABLE", why, { data: { engine: name } });
  }
  by.deadline.throwIfEnded();
  const seen = new Set<string>();
  const host = await hostCallsOf(services, runnable, by, (secret) => seen.add(secret));
  const job = jobOf(services, runnable, args, by);
  try {
    // A bundle holds all that is needed of the packages.
    const end =
      lock && !bundle
        ? await withLayer({ packages }, lock, by, (layer) => engine.run({ ...job, layer }, host, by.deadline))
        : await engine.run(job, host, by.deadline);
    if (end.state === "failed") by.deadline.throwIfEnded();
    return seen.size === 0 ? end : withoutSecrets(end, [...seen]);
  } finally {
    host.end();
  }
}

type RunServices = Pick<
  AuthoredServices,
  "engines" | "now" | "newSeed" | "settings" | "packages" | "egress" | "secrets"
>;

function jobOf({ settings, newSeed, now }: RunServices, runnable: Runnable, args: JsonObject, by: Actor): Job {
  const { program, timeoutMs, image, bundle, network, secrets, uses } = runnable;
  return {
    program,
    argsJson: JSON.stringify(args),
    limits: { ...settings.limits, memoryMiB: settings.memoryMiB[runnable.engine] },
    runMs: Math.min(timeoutMs, settings.maxTimeoutMs),
    seed: newSeed(),
    startedAtMs: now(),
    may: { callTools: uses.length > 0, fetch: network.length > 0, readSecrets: secrets.length > 0 },
    depth: by.depth ?? 0,
    scope: by.principal,
    ...(image !== undefined && { image }),
    ...(bundle && { bundle }),
  };
}

/** Loaded for tools that reach out; most do not. */
async function hostCallsOf(
  { egress, secrets }: RunServices,
  { name, network, secrets: names, uses }: Runnable,
  { deadline, callTool = noCallToBePartOf }: Actor,
  onSecret: (value: string) => void,
): Promise<JobHostCalls> {
  if (network.length + names.length + uses.length === 0) return NO_HOST_CALLS;
  const { createHostCalls } = await import("./host-calls.ts");
  const tool = { name, network, secrets: names, uses };
  return createHostCalls({ ctx: { callTool, deadline }, egress, secrets, tool, onSecret });
}

const NO_HOST_CALLS: JobHostCalls = {
  call: (method) => Promise.reject(new DynamicMcpError("CAPABILITY_MISSING", `this tool may not call ${method.slice(0, 80)}`)), // prettier-ignore
  end() {},
};

const noCallToBePartOf = () =>
  Promise.reject(new DynamicMcpError("CAPABILITY_MISSING", "tools cannot be called here: nobody's call is running"));

/**
 * What code was told in confidence shows nowhere, whichever way it comes back. What is printed or thrown was cut at
 * limits before it came here, also in the middle of a secret; a result never is.
 */
function withoutSecrets(end: JobEnd, secrets: readonly string[]): JobEnd {
  const hide = hideValues(secrets);
  const logs = end.logs.map((line) => ({ ...line, text: hide(line.text, "both") }));
  if (end.state === "done") return { ...end, logs, resultJson: hideInJsonText(end.resultJson, hide) };
  const { errorName, errorCode, message } = end;
  return {
    ...end,
    logs,
    message: hide(message, "end"),
    ...(errorName !== undefined && { errorName: hide(errorName, "end") }),
    ...(errorCode !== undefined && { errorCode: hide(errorCode, "end") }),
  };
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

function failureData({ errorName, errorCode, line, column }: JobFailed): JsonObject {
  return {
    ...(errorName !== undefined && { errorName }),
    ...(errorCode !== undefined && { errorCode }),
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
