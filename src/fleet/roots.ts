import { DynamicMcpError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";

/** A server that asks for roots at its start does so within this time, in ms. */
const ASKS_WITHIN_MS = 1_000;
/** What a server needs to make something of them, in ms: no protocol says when it has. */
const TAKES_MS = 50;

/**
 * The roots of the client behind a connection. A server asks for them when it likes, also while no call is under way in
 * which the client could be asked, so the last answer is kept.
 */
export class Roots {
  #answer: JsonObject | undefined;
  #isFixed = false;
  #areOld = false;
  /** It was asked for what the server asks for next. */
  #isPrepared = false;
  #told = Promise.withResolvers<void>();

  /** They are these for as long as the connection lasts: it is made for them. */
  fix(answer: JsonObject): void {
    this.#answer = answer;
    this.#isFixed = true;
  }

  get areKnown(): boolean {
    return this.#answer !== undefined;
  }

  /** Asks the client before the server does. @throws what `ask` throws */
  async prepare(ask: () => Promise<JsonObject>): Promise<void> {
    this.#answer = await ask();
    this.#isPrepared = true;
  }

  /**
   * What the server gets.
   *
   * @param ask asks the client; undefined while it cannot be asked
   * @throws what `ask` throws; CAPABILITY_MISSING
   */
  async tell(ask: (() => Promise<JsonObject>) | undefined): Promise<JsonObject> {
    try {
      const holds = this.#isFixed || this.#isPrepared || !ask;
      this.#isPrepared = false;
      if (this.#answer && holds) return this.#answer;
      if (ask) return (this.#answer = await ask());
      throw new DynamicMcpError("CAPABILITY_MISSING", "roots/list cannot be answered: no client is there to be asked");
    } finally {
      this.#told.resolve();
    }
  }

  /** What the server knows is no longer so. */
  get areOld(): boolean {
    return this.#areOld;
  }

  /** The client says that they are others now. */
  forget(): void {
    if (this.#isFixed) return;
    this.#answer = undefined;
    this.#areOld = true;
  }

  /** The server was connected, or told that there are others: it has got none of these yet. */
  restart(): void {
    this.#areOld = false;
    this.#told = Promise.withResolvers();
  }

  /** Waits until a server that asks for them at its start has got them, as long as it can be expected to ask. */
  async settled(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const never = new Promise<"never">((resolve) => (timer = setTimeout(resolve, ASKS_WITHIN_MS, "never")));
    const first = await Promise.race([this.#told.promise, never]);
    clearTimeout(timer);
    this.#isPrepared = false;
    if (first !== "never") await new Promise((resolve) => setTimeout(resolve, TAKES_MS));
  }
}
