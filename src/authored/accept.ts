import { isDeepStrictEqual } from "node:util";
import { DynamicMcpError } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { LIMITS } from "../core/limits.ts";
import type { Actor, ExampleRun } from "./authored.ts";
import type { ToolBody } from "./body.ts";
import type { ToolDraft, ToolExample } from "./definition.ts";
import type { Prepared } from "./prepare.ts";
import { failureText, logsOf, runProgram } from "./run.ts";
import { parseGuest, type AuthoredServices, type Runnable } from "./services.ts";

/** Of each example, in what a write answers. */
const MAX_SHOWN_CHARS = 2_000;
const MAX_SHOWN_LOGS = 20;

/** @throws INVALID_SCHEMA */
export async function checkSchemas({ schemas }: AuthoredServices, draft: ToolDraft): Promise<void> {
  if (draft.inputSchema) await schemas.check(draft.inputSchema, "inputSchema", "input");
  if (draft.outputSchema) await schemas.check(draft.outputSchema, "outputSchema", "output");
}

export function bodyOf(draft: ToolDraft, { choice, js, runnable }: Prepared): ToolBody {
  const { name: _name, enabled: _enabled, network, secrets, uses, ...fields } = draft;
  const { lock, bundle } = runnable;
  return {
    ...fields,
    ...(network.length > 0 && { network }),
    ...(secrets.length > 0 && { secrets }),
    ...(uses.length > 0 && { uses }),
    engine: choice,
    ...(lock && { lock }),
    ...(js !== undefined && { js }),
    ...(bundle && { bundle: bundle.js }),
  };
}

/**
 * Runs the examples, one after the other, in the engine that the tool will have.
 *
 * @throws EXAMPLE_FAILED with `data.example` (from 1), `data.expected`, `data.got` or `data.error`
 */
export async function runExamples(
  services: AuthoredServices,
  draft: ToolDraft,
  runnable: Runnable,
  by: Actor,
): Promise<ExampleRun[]> {
  if (draft.examples.length === 0) return [];
  const outer = by.deadline;
  const deadline = outer.child(services.settings.maxExamplesMs);
  try {
    const runs: ExampleRun[] = [];
    for (const [index, example] of draft.examples.entries()) {
      runs.push(await runExample(services, draft, runnable, example, index + 1, { ...by, deadline }));
    }
    return runs;
  } catch (error) {
    // The bound of all examples together is the examples' fault; the end of the call is not.
    outer.throwIfEnded();
    if (deadline.reason !== "deadline") throw error;
    throw new DynamicMcpError("EXAMPLE_FAILED", `the examples together took longer than ${services.settings.maxExamplesMs} ms; nothing was stored`, { cause: error }); // prettier-ignore
  } finally {
    deadline.close();
  }
}

async function runExample(
  services: AuthoredServices,
  draft: ToolDraft,
  runnable: Runnable,
  example: ToolExample,
  number: number,
  by: Actor,
): Promise<ExampleRun> {
  const which = `example ${number} of ${draft.examples.length}`;
  const refuse = (why: string, data: JsonObject) =>
    new DynamicMcpError("EXAMPLE_FAILED", `${which} ${why}; nothing was stored`, {
      data: { example: number, ...data },
    });

  const bytes = Buffer.byteLength(JSON.stringify(example));
  if (bytes > LIMITS.exampleBytes) {
    throw new DynamicMcpError("INVALID_ARGUMENTS", `${which} must be at most ${LIMITS.exampleBytes} bytes of JSON, is ${bytes}`); // prettier-ignore
  }
  if (draft.inputSchema) {
    const [problem] = await services.schemas.validate(draft.inputSchema, example.args);
    if (problem) throw refuse(`has args that do not fit inputSchema: ${problem.path} ${problem.message}`, {});
  }

  const end = await runProgram(services, runnable, example.args, by);
  const logs = logsOf(end).slice(0, MAX_SHOWN_LOGS);
  const printed: JsonObject = logs.length > 0 ? { logs } : {};
  if (end.state === "failed") {
    if (end.code === "ENGINE_CRASHED") throw new DynamicMcpError(end.code, `${which}: ${end.message}`);
    throw refuse(`failed: ${failureText(end)}`, { error: failureText(end), code: end.code, ...printed });
  }
  const got = parseGuest(end.resultJson);
  if (draft.outputSchema) {
    const [problem] = await services.schemas.validate(draft.outputSchema, got);
    if (problem) throw refuse(`returned what does not fit outputSchema: ${`${problem.path} ${problem.message}`.trim()}`, { got: kept(got), ...printed }); // prettier-ignore
  }
  if (Object.hasOwn(example, "result") && !isDeepStrictEqual(got, asJson(example.result))) {
    const why = `returned ${short(got)}, expected ${short(example.result ?? null)}`;
    throw refuse(why, { expected: kept(example.result ?? null), got: kept(got), ...printed });
  }
  return { args: example.args, result: kept(got), durationMs: Math.round(end.wallMs * 100) / 100, ...printed };
}

/** As JSON would carry it: `-0` and the like are what came back, too. */
const asJson = (value: Json | undefined): unknown => JSON.parse(JSON.stringify(value ?? null));

/** Results of examples are shown, so they are kept short: a large one as the beginning of its text. */
function kept(value: Json): Json {
  return JSON.stringify(value).length <= MAX_SHOWN_CHARS ? value : short(value);
}

function short(value: Json): string {
  const text = JSON.stringify(value);
  return text.length <= 200 ? text : `${text.slice(0, 200)}... (${text.length} characters)`;
}
