import { ERRORS } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { ConsoleLine, GuestFault, HostAccess, JobLimits } from "../engine.ts";
import { maxPayloadBytes } from "./call-payload.ts";
import { heaviestLogJson, heaviestLogs, weightOf } from "./log-budget.ts";
import { isNestedTooDeeply } from "./nesting.ts";
import type { CallHead, EndHead, Outline } from "./protocol.ts";

/**
 * What a child says about its job, believed only as far as it can be true. A guest may have taken its process over and
 * speak in its place: then it can lie about its own result, and about nothing else.
 */
export interface Claims {
  /** @throws RuleBroken */
  lines(head: unknown): ConsoleLine[];
  /** The next host call, with its payload still as bytes. @throws RuleBroken */
  call(head: unknown, payload: Uint8Array): CallHead;
  /** A host call was answered. */
  answered(): void;
  /** How the job ended, made anew of what is true of it. @throws RuleBroken */
  end(head: unknown, result: Uint8Array): { head: EndHead; resultJson: string };
  /** One more frame, before it is read. @throws RuleBroken when there are too many for the time, or too large ones */
  frame(outline: Outline): void;
}

/** The child did what no child of ours does. It must not get another job. */
export class RuleBroken extends Error {
  readonly code: Extract<GuestFault, "TOO_LARGE" | "ENGINE_CRASHED">;

  constructor(rule: string, code: RuleBroken["code"] = "ENGINE_CRASHED") {
    super(`the sandbox broke the rules of its channel and was ended: ${rule}`);
    this.code = code;
  }
}

const LEVELS: ReadonlySet<unknown> = new Set<ConsoleLine["level"]>(["debug", "log", "info", "warn", "error"]);
const CODES: ReadonlySet<unknown> = new Set<EndHead["code"]>([
  ...(["CODE_THREW", "TIMEOUT", "OUT_OF_MEMORY", "NEVER_SETTLES", "RESULT_NOT_JSON", "TOO_LARGE"] as const),
  ...(["ENGINE_CRASHED", "PROCESS_EXITED", "ENDED"] as const),
]);
/** The right that a method needs. */
const RIGHTS: ReadonlyMap<unknown, keyof HostAccess> = new Map([
  ["tools.call", "callTools"],
  ["fetch", "fetch"],
  ["secrets.get", "readSecrets"],
]);

/** An error's message, a hint to it, and the words around them. */
const MESSAGE_CHARS = 8_000;
const NAME_CHARS = 200;
const MAX_POSITION = 1e9;
/** Ten thousand timers may be due at once, each with two frames; a flood has many more. */
const FRAMES_AT_ONCE = 50_000;
const FRAMES_PER_MS = 20;
/** Of a head without logs: a call's method and step, an end's numbers. */
const HEAD_BYTES = 256;
/** What an end tells besides: its texts, with six bytes of JSON for each character. */
const END_BYTES = 6 * 2 * (MESSAGE_CHARS + NAME_CHARS);

/** @param now ms of a clock that only goes forward */
export function createClaims(limits: JobLimits, may: HostAccess, now: () => number): Claims {
  const startedAt = now();
  let frames = 0;
  /** Of all heads together; each line of the logs is in one of them. */
  let headBytes = 0;
  const heaviestHeads = heaviestLogJson(limits.logBytes) + END_BYTES;
  let logWeight = 0;
  let steps = 0;
  let open = 0;

  function lines(head: unknown): ConsoleLine[] {
    const found: unknown = fields(head)["logs"];
    if (!Array.isArray(found)) throw new RuleBroken("no list of lines");
    return found.map((item: unknown) => {
      const { level, text } = fields(item);
      if (!LEVELS.has(level) || typeof text !== "string") throw new RuleBroken("a line that is none");
      const line = { level: level as ConsoleLine["level"], text };
      logWeight += weightOf(line);
      if (logWeight > heaviestLogs(limits.logBytes)) throw new RuleBroken("more output than its limit", "TOO_LARGE");
      return line;
    });
  }

  return {
    lines,
    call(head, payload) {
      const { method, step } = fields(head);
      const right = RIGHTS.get(method);
      if (right === undefined || !may[right]) throw new RuleBroken("a call that this job may not make");
      if (payload.byteLength > maxPayloadBytes(method as string, limits)) {
        throw new RuleBroken("a call larger than its limit", "TOO_LARGE");
      }
      if (step !== steps) throw new RuleBroken("a call out of sequence");
      if (steps >= limits.hostCalls.total) throw new RuleBroken("more calls than its limit", "TOO_LARGE");
      if (open >= limits.hostCalls.open) throw new RuleBroken("more open calls than its limit", "TOO_LARGE");
      steps++;
      open++;
      return { method: method as string, step };
    },
    answered: () => void open--,
    end(head, result) {
      const said = fields(head);
      const code = said["code"];
      if (code !== undefined && !CODES.has(code)) throw new RuleBroken("an end with an unknown code");
      if (result.byteLength > limits.resultBytes) throw new RuleBroken("a result larger than its limit", "TOO_LARGE");
      const message = text(said["message"], MESSAGE_CHARS);
      const detail = text(said["detail"], MESSAGE_CHARS);
      const errorName = text(said["errorName"], NAME_CHARS);
      const errorCode = text(said["errorCode"], NAME_CHARS);
      const line = whole(said["line"], 1, MAX_POSITION);
      const column = whole(said["column"], 1, MAX_POSITION);
      const end: EndHead = {
        logs: lines(head),
        logBytesDropped: whole(said["logBytesDropped"], 0, Number.MAX_SAFE_INTEGER) ?? 0,
        rssMiB: whole(said["rssMiB"], 0, MAX_POSITION) ?? 0,
        ...(code === undefined ? {} : { code: code as GuestFault | "ENDED" }),
        ...(message === undefined ? {} : { message }),
        ...(detail === undefined ? {} : { detail }),
        ...(errorName === undefined ? {} : { errorName }),
        ...(errorCode !== undefined && Object.hasOwn(ERRORS, errorCode) ? { errorCode } : {}),
        ...(line === undefined ? {} : { line }),
        ...(column === undefined ? {} : { column }),
        ...(said["poisoned"] === true ? { poisoned: true } : {}),
      };
      return { head: end, resultJson: code === undefined ? jsonText(result) : "" };
    },
    frame(outline) {
      if (++frames > FRAMES_AT_ONCE && frames > FRAMES_AT_ONCE + (now() - startedAt) * FRAMES_PER_MS) {
        throw new RuleBroken("a flood of frames", "TOO_LARGE");
      }
      headBytes += outline.headBytes;
      if (headBytes > heaviestHeads + frames * HEAD_BYTES) throw new RuleBroken("heads over their limit", "TOO_LARGE");
    },
  };
}

/** Own members only: `__proto__` in JSON is a member like any other. */
function fields(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) throw new RuleBroken("a head that is none");
  return value as Record<string, unknown>;
}

function text(value: unknown, chars: number): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value.length > chars) throw new RuleBroken("a text that is none, or too long");
  return value;
}

function whole(value: unknown, from: number, to: number): number | undefined {
  if (value === undefined) return undefined;
  if (!Number.isInteger(value) || (value as number) < from || (value as number) > to) {
    throw new RuleBroken("a number that cannot be");
  }
  return value as number;
}

/** @returns text that is JSON */
function jsonText(bytes: Uint8Array): string {
  const found = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  readJson(bytes, found);
  return found;
}

/** @throws RuleBroken for what is not JSON, or nested so deeply that it could hurt who goes through it */
export function readJson(bytes: Uint8Array, text = Buffer.from(bytes).toString("utf8")): Json {
  if (isNestedTooDeeply(bytes)) throw new RuleBroken("a value that is nested too deeply");
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new RuleBroken("a value that is not JSON");
  }
}
