import type { Caller } from "../core/caller.ts";
import type { Surface } from "../surface/surface.ts";

/** The resources that one listener follows, asked for at their Sources as long as it listens. */
export class Watches {
  readonly #surface: Surface;
  readonly #caller: Caller;
  readonly #ends = new Map<string, () => void>();

  constructor(surface: Surface, caller: Caller) {
    this.#surface = surface;
    this.#caller = caller;
  }

  /** From now on exactly these. */
  set(uris: ReadonlySet<string>): void {
    for (const [uri, end] of this.#ends) {
      if (uris.has(uri)) continue;
      this.#ends.delete(uri);
      end();
    }
    for (const uri of uris) if (!this.#ends.has(uri)) this.#ends.set(uri, this.#surface.watch(uri, this.#caller));
  }

  /** Lists have changed, so a URI may be somebody else's now. The new interest comes first: none is dropped between. */
  renew(): void {
    for (const [uri, end] of this.#ends) {
      this.#ends.set(uri, this.#surface.watch(uri, this.#caller));
      end();
    }
  }

  close(): void {
    this.set(NONE);
  }
}

const NONE: ReadonlySet<string> = new Set();
