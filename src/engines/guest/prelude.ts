import type { HostAccess } from "../engine.ts";
import { structuredClone } from "./clone.ts";
import { makeConsole, write } from "./console.ts";
import { describe } from "./describe.ts";
import { DOMException } from "./dom-exception.ts";
import { crypto, seededRandom } from "./random.ts";
import { serialize } from "./serialize.ts";
import { TextDecoder, TextEncoder, atob, btoa } from "./text.ts";
import { fire, timerGlobals } from "./timers.ts";
import { reply, tools } from "./tools.ts";
import { URL, URLSearchParams } from "./url.ts";

/**
 * What runs inside the interpreter before any author's code: the portable profile as globals, and the functions by
 * which the child drives a job. Evaluated once, when the interpreter's starting image is made; every job gets a copy.
 */

interface Start {
  seed: number[];
  may: HostAccess;
}

const { parse } = JSON;
const { defineProperty } = Object;

function define(name: string, value: unknown): void {
  defineProperty(globalThis, name, { value, configurable: true, enumerable: false, writable: true });
}

const globals = {
  console: makeConsole(),
  ...timerGlobals,
  URL,
  URLSearchParams,
  TextEncoder,
  TextDecoder,
  atob,
  btoa,
  structuredClone,
  crypto,
  DOMException,
};
for (const [name, value] of Object.entries(globals)) define(name, value);

let startedAt = 0;
define("performance", {
  now: () => Date.now() - startedAt,
  get timeOrigin() {
    return startedAt;
  },
});

export const harness = {
  /** Begins a job. @returns the promise of its result */
  start(run: (args: unknown) => Promise<unknown>, startJson: string, argsJson: string): Promise<unknown> {
    const { seed, may } = parse(startJson) as Start;
    startedAt = Date.now();
    defineProperty(Math, "random", { value: seededRandom(seed), configurable: true, writable: true });
    if (may.callTools) define("tools", tools);
    return run(parse(argsJson));
  },
  finish: serialize,
  describe,
  reply,
  /** What a timer's function throws has nobody to go to; it is shown, and the job goes on. */
  fire(id: number): void {
    try {
      fire(id);
    } catch (error) {
      write("error", ["Uncaught in a timer:", error]);
    }
  },
};
