import type { Ask } from "./source.ts";

/**
 * Control flow, not a fault: thrown by `CallIo.ask` when the answers can only come with a later request (2026-07-28).
 * The line turns it into an end with `state: "paused"`. Handlers let it pass.
 */
export class Paused extends Error {
  override readonly name = "Paused";
  readonly asks: Record<string, Ask>;

  constructor(asks: Record<string, Ask>) {
    super("paused: waiting for answers of the client");
    this.asks = asks;
  }
}
