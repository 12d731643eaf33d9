import type { Secrets } from "../credentials/credentials.ts";
import { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { wireName } from "../core/names.ts";
import { matchesPattern } from "../core/pattern.ts";
import { Paused } from "../core/pause.ts";
import { type Hide, hideInJsonText, hideValues } from "../core/redact.ts";
import { codeOfResult, dataOfResult } from "../core/results.ts";
import type { HostCalls, RunContext } from "../core/source.ts";
import { createTurns } from "../core/turns.ts";
import type { ToolResult } from "../core/item.ts";
import type { Egress } from "../machine/net/egress.ts";
import { malformed, own, readFetch, textIn } from "./host-payloads.ts";

export interface HostCallsOptions {
  ctx: Pick<RunContext, "callTool" | "deadline">;
  egress: Pick<Egress, "fetch">;
  secrets: Pick<Secrets, "get">;
  /** Whose code it is, and what its author says that it needs: patterns of hosts, names of secrets, patterns of tools. */
  tool: {
    name: string;
    network: readonly string[];
    secrets: readonly string[];
    uses: readonly string[];
  };
  /** Hears of each value before the code does: it must show nowhere (`hideValues`, `hideInJsonText`). */
  onSecret(value: string): void;
}

/** Host calls of one job. */
export interface JobHostCalls extends HostCalls {
  /**
   * The job is over: fetches that it did not wait for end too; tools that it called end with the call that it is part of.
   * Safe to call twice.
   */
  end(): void;
}

const MAX_NAME_CHARS = 200;
/** As many as a browser opens to one host. Each may hold several times its largest answer in our memory. */
const FETCHES_AT_ONCE = 6;

/**
 * What code in a sandbox may ask of us. It asks for what its author declared, and gets what its operator allows.
 *
 * Everything that comes in is taken apart here, by hand and by own keys: it comes from code that nobody trusts, through
 * a sandbox that it may have taken over. What it asks for counts, not what its prelude would have sent.
 *
 * A secret that the code was told does not go to other tools: their calls are written down, and their authors were not
 * allowed it.
 */
export function createHostCalls({ ctx, egress, secrets, tool, onSecret }: HostCallsOptions): JobHostCalls {
  const told = new Set<string>();
  /** Of all that was told; made when it is needed. */
  let hide: Hide | undefined;
  const inTurn = createTurns(FETCHES_AT_ONCE);
  // Ends with the job, not only with the call around it.
  const deadline = new Deadline(Math.max(1, ctx.deadline.remainingMs()), { parent: ctx.deadline });

  async function callTool(payload: JsonObject): Promise<Json> {
    const name = textIn(payload, "name", MAX_NAME_CHARS);
    const args = own(payload, "args") ?? {};
    if (!isJsonObject(args)) throw malformed("the arguments of tools.call must be an object");
    if (holdsSecret([name, args])) {
      const why = "a call of another tool holds a secret, which tools do not pass on; let that tool read it itself";
      throw new DynamicMcpError("SECRET_REFUSED", why);
    }
    if (!tool.uses.some((pattern) => matchesPattern(wireName(pattern), wireName(name)))) {
      const why = `${tool.name} may not call ${name}: its \`uses\` list does not name it`;
      throw new DynamicMcpError("FORBIDDEN", why, { data: { tool: name } });
    }
    return valueOf(await ctx.callTool(name, args).catch(asRefusal), name);
  }

  function holdsSecret(call: Json): boolean {
    if (told.size === 0) return false;
    hide ??= hideValues([...told]);
    const json = JSON.stringify(call);
    return hideInJsonText(json, hide) !== json;
  }

  async function fetch(payload: JsonObject): Promise<Json> {
    const request = readFetch(payload);
    const answer = await inTurn(() => egress.fetch(request, tool.network, deadline));
    const { status, statusText, url, redirected, headers, body } = answer;
    const base64 = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("base64");
    return { status, statusText, url, redirected, headers, body: base64 };
  }

  async function readSecret(payload: JsonObject): Promise<Json> {
    const name = textIn(payload, "name", MAX_NAME_CHARS);
    if (!tool.secrets.includes(name)) {
      const why = `${tool.name} may not read the secret ${name}: its \`secrets\` list does not name it`;
      throw new DynamicMcpError("SECRET_REFUSED", why, { data: { name } });
    }
    const value = await secrets.get(name);
    if (!told.has(value)) hide = undefined;
    told.add(value);
    onSecret(value);
    return value;
  }

  const methods = new Map([
    ["tools.call", callTool],
    ["fetch", fetch],
    ["secrets.get", readSecret],
  ]);

  return {
    async call(method, payload) {
      deadline.throwIfEnded();
      const run = methods.get(method);
      if (!run) throw new DynamicMcpError("CAPABILITY_MISSING", `there is no host call ${JSON.stringify(method).slice(0, 80)}`); // prettier-ignore
      if (!isJsonObject(payload)) throw malformed(`${method} takes an object`);
      return run(payload);
    },
    end: () => deadline.end("parent"),
  };
}

/** What a program gets of another tool: its data, else its words. @throws DynamicMcpError when it failed */
function valueOf(result: ToolResult, name: string): Json {
  const text = result.content
    .map((each) => (each.type === "text" && typeof each["text"] === "string" ? each["text"] : `[${each.type}]`))
    .join("\n");
  if (result.isError) {
    const message = text === "" ? `${name} failed` : text;
    throw new DynamicMcpError(codeOfResult(result) ?? "CODE_THREW", message, { data: dataOfResult(result) });
  }
  return result.structuredContent ?? text;
}

/** A question to the client would end this run: it cannot be picked up in its middle. */
function asRefusal(error: unknown): never {
  if (!(error instanceof Paused)) throw error;
  const why = "the tool asks its client something, which it cannot while other code waits for it; call it directly";
  throw new DynamicMcpError("CAPABILITY_MISSING", why, { cause: error });
}
