import type { Caller } from "../core/caller.ts";
import type { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { Paused } from "../core/pause.ts";
import type { Hide } from "../core/redact.ts";
import { LOG_LEVELS, type Ask, type CallIo, type ClientCan, type LogLevel, type RunContext } from "../core/source.ts";
import type { Relay } from "../upstreams/upstream.ts";
import type { Link } from "./link.ts";
import { hideInJson } from "./results.ts";

interface Open {
  ask: Ask;
  resolve: (answer: JsonObject) => void;
  reject: (error: Error) => void;
}

const ASKED: ReadonlySet<string> = new Set([
  "elicitation/create",
  "sampling/createMessage",
  "roots/list",
] satisfies Ask["method"][]);
/** Questions of one call that may be open at once. */
const MAX_OPEN = 16;
/** What a server asks in one go comes within this time. */
const GATHER_MS = 10;

/**
 * The client behind a call at a server of the older era, as the connection sees it. A client that can only be asked by
 * ending the run is asked for everything that is open at once; the answers come with `resume`.
 */
export class Questions implements Relay {
  readonly caller: Caller;
  /** Of the request that began the call. */
  readonly meta?: JsonObject;
  /** Absent when nobody listens: then the server is not asked to tell. */
  readonly progress?: (progress: number, total?: number, message?: string) => void;
  readonly #deadline: Deadline;
  readonly #state: () => string;
  readonly #hide: Hide | undefined;
  readonly #open = new Map<string, Open>();
  /** The connection that the call goes over. Roots are asked for through it, which keeps them. */
  link: Pick<Link, "noteDialog" | "tellRoots"> | undefined;
  #io: CallIo | undefined;
  #asked = 0;
  #pause: ((paused: Paused) => void) | undefined;
  /** What the end of the run has to ask; it ends when all that came together is in. */
  #gathered: Record<string, Ask> | undefined;

  /**
   * @param run   of the client that is behind the call
   * @param state travels with what is asked
   * @param hide  takes out what clients must not see; absent: there is nothing of the kind
   */
  constructor(
    deadline: Deadline,
    { caller, io }: Pick<RunContext, "caller" | "io">,
    state: () => string,
    hide: Hide | undefined,
  ) {
    this.caller = caller;
    this.#hide = hide;
    this.#deadline = deadline;
    this.#io = io;
    this.#can = io.can;
    if (io.meta) this.meta = io.meta;
    if (io.wantsProgress) this.progress = (...told) => this.#io?.progress(...told);
    this.#state = state;
  }

  readonly #can: ClientCan;

  get can(): ClientCan {
    return this.#io?.can ?? this.#can;
  }

  get logLevel(): LogLevel | undefined {
    return this.#io?.logLevel;
  }

  get logIndex(): number | undefined {
    const level = this.logLevel;
    return level === undefined ? undefined : LOG_LEVELS.indexOf(level);
  }

  /** Whether something that the server asked waits for a later run. */
  get isWaiting(): boolean {
    return this.#open.size > 0;
  }

  /** Whether the run that it belongs to is there, so that its client can be asked now. */
  get isAttended(): boolean {
    return this.#io !== undefined;
  }

  log(level: LogLevel, data: JsonObject[string], logger?: string): void {
    this.#io?.log(level, this.#hide ? hideInJson(data, this.#hide) : data, logger);
  }

  async ask(method: string, params: JsonObject): Promise<JsonObject> {
    if (!ASKED.has(method)) {
      throw new DynamicMcpError("CAPABILITY_MISSING", `${method.slice(0, 100)} is not relayed to clients`);
    }
    this.link?.noteDialog(params, this.caller.channel);
    const ask = () => this.put(method, params);
    return method === "roots/list" && this.link ? this.link.tellRoots(this, ask) : ask();
  }

  /** Asks the client, whoever wants to know. */
  async put(method: string, params: JsonObject): Promise<JsonObject> {
    if (this.#open.size >= MAX_OPEN) {
      throw new DynamicMcpError("OVERLOADED", `more than ${MAX_OPEN} questions of one call are open`);
    }
    const goOn = this.#deadline.pause();
    try {
      return await this.#askClient(`q${++this.#asked}`, {
        method,
        params: this.#hide ? hideInJson(params, this.#hide) : params,
      } as Ask);
    } finally {
      goOn();
    }
  }

  async #askClient(key: string, ask: Ask): Promise<JsonObject> {
    if (!this.#io) return this.#wait(key, ask); // the run is over; the next one asks
    try {
      const answers = await this.#io.ask({ [key]: ask }, this.#state());
      return answers[key] ?? {};
    } catch (error) {
      if (!(error instanceof Paused)) throw error;
      this.#gather(error);
      return this.#wait(key, ask);
    }
  }

  #wait(key: string, ask: Ask): Promise<JsonObject> {
    return new Promise<JsonObject>((resolve, reject) => {
      this.#deadline.throwIfEnded();
      const settle = (end: () => void) => {
        stop();
        this.#open.delete(key);
        end();
      };
      const stop = this.#deadline.onEnd(() => settle(() => reject(this.#deadline.error())));
      this.#open.set(key, {
        ask,
        resolve: (answer) => settle(() => resolve(answer)),
        reject: (error) => settle(() => reject(error)),
      });
    });
  }

  /** A server that asks several things at once does so in one go: they end the run together. */
  #gather({ asks, state }: Paused): void {
    if (this.#gathered) {
      Object.assign(this.#gathered, asks);
      return;
    }
    const gathered = (this.#gathered = { ...asks });
    setTimeout(() => {
      this.#gathered = undefined;
      this.#io = undefined;
      this.#pause?.(new Paused(gathered, state));
    }, GATHER_MS);
  }

  /** The outcome, unless the run has to end before so that its client can be asked. @throws Paused */
  orPaused(outcome: Promise<JsonObject>): Promise<JsonObject> {
    return new Promise((resolve, reject) => {
      this.#pause = reject;
      outcome.then(resolve, reject);
    });
  }

  /** The next run is here: what it has no answer for is asked again. */
  resume(io: CallIo, answers: Record<string, JsonObject>): void {
    this.#io = io;
    for (const [key, { ask, resolve, reject }] of [...this.#open]) {
      const answer = Object.hasOwn(answers, key) ? answers[key] : undefined;
      if (answer) resolve(answer);
      else this.#askClient(key, ask).then(resolve, reject);
    }
  }

  /** The call is over: nothing goes to its client any more. */
  end(): void {
    this.#io = undefined;
    for (const { reject } of [...this.#open.values()]) {
      reject(new DynamicMcpError("PARENT_ENDED", "the call that asked this has ended"));
    }
    this.#deadline.close();
  }
}
