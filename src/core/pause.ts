import type { Ask } from "./source.ts";

/**
 * Control flow, not a fault: thrown by `CallIo.ask` when the answers can only come with a later request (2026-07-28).
 * The line turns it into an end with `state: "paused"`. Handlers let it pass.
 */
export class Paused extends Error {
  override readonly name = "Paused";
  readonly asks: Record<string, Ask>;
  /** Comes back with the answers, see `CallIo.resumed`. */
  readonly state: string | undefined;

  constructor(asks: Record<string, Ask>, state?: string) {
    super("paused: waiting for answers of the client");
    this.asks = asks;
    this.state = state;
  }
}
