import type { Access } from "../access/access.ts";
import type { CallEnd, CallRecord, CallRequest, ResultOf, Wanted } from "../core/call.ts";
import { Crowd } from "../core/crowd.ts";
import type { Deadline } from "../core/deadline.ts";
import { DynamicMcpError, hasCode } from "../core/errors.ts";
import type { ToolResult } from "../core/item.ts";
import type { JsonObject } from "../core/json.ts";
import { LIMITS } from "../core/limits.ts";
import { Paused } from "../core/pause.ts";
import { unfit, type Problem } from "../core/problems.ts";
import { RemoteError } from "../core/remote-error.ts";
import { codeOfResult, failedResult } from "../core/results.ts";
import type { Logger, RunContext } from "../core/source.ts";
import type { Guard } from "../guard/guard.ts";
import type { Results } from "../journal/results.ts";
import type { Surface } from "../surface/surface.ts";
import type { Calls } from "./calls.ts";
import { innerIo, PatientIo } from "./call-io.ts";
import { recordOf } from "./record.ts";
import { resolve } from "./resolve.ts";
import type { Resolved } from "./stations.ts";
import { Admitted, Allowed, Checked, Identified, Rewritten } from "./stations.ts";
import { untilEnd } from "./until-end.ts";

export interface CallsOptions {
  surface: Surface;
  guard: Guard;
  access: Access;
  /** Checks values against the JSON Schema of Sources that do not check for themselves. */
  validate: (schema: JsonObject, value: unknown) => Promise<readonly Problem[]>;
  /** Makes an answer that is too large for a model small; whoever wants everything is a program. Never throws. */
  shorten?: Results["shorten"] | undefined;
  record: (record: CallRecord) => void;
  log: Logger;
  newId: () => string;
}

/**
 * The line of a call:
 *
 *     identify -> resolve -> admit -> rewrite -> check -> decide -> execute -> shape      (one record for every end)
 *
 * Order is a security property, so it is straight-line code in `walk`. Effects of programs (claim) and interceptors
 * join it at their places when those exist; injected secrets are out of a result before it gets here.
 */
export function createCalls(on: CallsOptions): Calls {
  const running = new Crowd<Deadline>();
  let isDraining = false;
  let onIdle: (() => void) | undefined;

  async function walk(call: Identified): Promise<CallEnd> {
    const resolved = resolve(call, on.surface);
    const admitted = admit(resolved);
    try {
      const checked = await check(rewrite(admitted));
      if (!(checked instanceof Checked)) return checked; // bad arguments: an answer the model can act on
      const allowed = decide(checked);
      return await shape(await execute(allowed), allowed);
    } catch (error) {
      // Somebody has to be asked: the client comes back with the answers, and the run starts again, or from its state.
      if (error instanceof Paused) return paused(error);
      throw error;
    } finally {
      admitted.lease.release();
    }
  }

  function admit(resolved: Resolved): Admitted {
    const { call } = resolved;
    const { caller, deadline } = call.request;
    if (call.depth > LIMITS.callDepth) {
      throw new DynamicMcpError("TOO_DEEP", `${resolved.name} is call number ${call.depth} within calls; at most ${LIMITS.callDepth} may be nested`); // prettier-ignore
    }
    const lease = on.guard.admit({
      principal: caller.principal.id,
      scope: resolved.scope,
      parent: call.parent?.lease,
      deadline,
    });
    return new Admitted(resolved, lease);
  }

  function rewrite(admitted: Admitted): Rewritten {
    const { call, target } = admitted.resolved;
    const { caller } = call.request;
    if (target.kind !== "tool" || (target.item.permission ?? "use") === "use")
      return new Rewritten(admitted, caller, target);
    const elevated = on.access.elevate(caller, target.args);
    return new Rewritten(admitted, elevated.caller, { ...target, args: elevated.args });
  }

  async function check(rewritten: Rewritten): Promise<Checked | CallEnd> {
    const { target, admitted } = rewritten;
    const { source } = admitted.resolved;
    if (target.kind !== "tool") return new Checked(rewritten, target);
    if (source.check) {
      try {
        return new Checked(rewritten, { ...target, args: await source.check(target.item, target.args) });
      } catch (error) {
        if (hasCode(error, "INVALID_ARGUMENTS")) return failed(error);
        throw error;
      }
    }
    const problems = await on.validate(target.item.inputSchema, target.args);
    if (problems.length > 0) return failed(unfit(`the arguments of ${target.item.name}`, problems));
    return new Checked(rewritten, target);
  }

  function decide(checked: Checked): Allowed {
    const { target, rewritten } = checked;
    on.access.assertMay(rewritten.caller, target.kind === "tool" ? (target.item.permission ?? "use") : "use");
    return new Allowed(checked);
  }

  async function execute({ checked }: Allowed): Promise<CallEnd> {
    const { admitted, caller } = checked.rewritten;
    const { source, call } = admitted.resolved;
    const { deadline } = call.request;
    try {
      deadline.throwIfEnded();
      const result = await untilEnd(source.run(checked.target, contextOf(admitted, caller)), deadline);
      return { state: "done", result };
    } catch (error) {
      // What another server answered goes on as it came.
      if (error instanceof RemoteError) throw error;
      // What a tool refuses is for the model to read; a prompt or resource has no such answer.
      if (error instanceof DynamicMcpError && checked.target.kind === "tool") return failed(error);
      throw error;
    }
  }

  async function shape(end: CallEnd, { checked }: Allowed): Promise<CallEnd> {
    const { target, rewritten } = checked;
    if (target.kind !== "tool" || end.state === "paused") return end;
    const { source, call } = rewritten.admitted.resolved;
    const { outputSchema } = target.item;
    // A Source with a check of its own vouches for its results, too.
    const checkedEnd = await fit(end, source.check ? undefined : outputSchema, target.item.name);
    const { caller, consumer } = call.request;
    if (consumer === "program" || !on.shorten) return checkedEnd;
    const whole = checkedEnd.result as ToolResult;
    const result = await on.shorten(whole, {
      caller,
      tool: target.item.name,
      hasOutputSchema: outputSchema !== undefined,
    });
    return result === whole ? checkedEnd : { ...checkedEnd, result };
  }

  /** What a tool gave, judged: its own failure, or a result that its output schema does not allow. */
  async function fit(
    end: Exclude<CallEnd, { state: "paused" }>,
    outputSchema: JsonObject | undefined,
    tool: string,
  ): Promise<Exclude<CallEnd, { state: "paused" }>> {
    if (end.state === "failed") return end;
    const result = end.result as ToolResult;
    if (result.isError) return { state: "failed", result, code: codeOfResult(result) ?? "CODE_THREW" };
    if (!outputSchema) return end;
    const problems = await on.validate(outputSchema, result.structuredContent);
    return problems.length === 0 ? end : failed(unfit(`the result of ${tool}`, problems, "INVALID_RESULT"));
  }

  function contextOf(admitted: Admitted, caller: RunContext["caller"]): RunContext {
    const { call, name } = admitted.resolved;
    const { deadline } = call.request;
    const io = new PatientIo(call.request.io, admitted.lease, deadline);
    let children = 0;
    return {
      caller,
      deadline,
      io,
      callId: call.callId,
      depth: call.depth,
      log: on.log,
      async callTool(toolName, args, { isHandedOn } = { isHandedOn: false }) {
        deadline.throwIfEnded();
        const inner = deadline.child(deadline.remainingMs());
        const request: CallRequest = {
          ...call.request,
          wanted: { kind: "tool", name: toolName, args },
          caller,
          deadline: inner,
          io: innerIo(io, children++, isHandedOn),
          consumer: "program",
        };
        try {
          const end = await begin(new Identified(on.newId(), request, admitted));
          if (end.state === "paused") throw new Paused(end.asks, end.resume);
          return end.result as ToolResult;
        } catch (error) {
          on.log.debug({ call: call.callId, tool: toolName, within: name, err: error }, "an inner call was refused");
          throw error;
        } finally {
          inner.close();
        }
      },
    };
  }

  /** Walks and records, whatever the end. */
  async function begin(call: Identified): Promise<CallEnd> {
    try {
      const end = await walk(call);
      on.record(recordOf(call, { end }));
      return end;
    } catch (error) {
      on.record(recordOf(call, { error }));
      throw error;
    }
  }

  return {
    async call<W extends Wanted>(request: CallRequest & { wanted: W }) {
      const call = new Identified(on.newId(), request);
      if (isDraining) {
        const error = new DynamicMcpError("SHUTTING_DOWN", "the server is stopping; connect again in a moment");
        on.record(recordOf(call, { error }));
        throw error;
      }
      running.add(request.deadline);
      try {
        return (await begin(call)) as CallEnd<ResultOf<W>>;
      } finally {
        running.remove(request.deadline);
        request.deadline.close();
        if (running.size === 0) onIdle?.();
      }
    },

    running: () => running.size,

    async drain(graceMs) {
      isDraining = true;
      if (running.size === 0) return;
      const idle = new Promise<void>((done) => (onIdle = done));
      const timer = setTimeout(() => {
        for (const deadline of running) deadline.end("shutdown");
      }, graceMs);
      await idle;
      clearTimeout(timer);
    },
  };
}

function paused({ asks, state }: Paused): CallEnd {
  return state === undefined ? { state: "paused", asks } : { state: "paused", asks, resume: state };
}

/** A refusal as an answer that the model reads. */
function failed({ code, message, data }: DynamicMcpError): Extract<CallEnd, { state: "failed" }> {
  return { state: "failed", code, result: failedResult(code, message, data as JsonObject) };
}
