import type { HostAccess } from "../engine.ts";
import { type Bridge, connect } from "./bridge.ts";
import { structuredClone } from "./clone.ts";
import { makeConsole, write } from "./console.ts";
import { describe } from "./describe.ts";
import { DOMException } from "./dom-exception.ts";
import { makeFetch } from "./fetch.ts";
import { crypto, seededRandom } from "./random.ts";
import { makeSecrets } from "./secrets.ts";
import { serialize } from "./serialize.ts";
import { TextDecoder, TextEncoder, atob, btoa } from "./text.ts";
import { fire, timerGlobals } from "./timers.ts";
import { hostCall, reply, tools } from "./tools.ts";
import { URL, URLSearchParams } from "./url.ts";

/**
 * What runs inside the interpreter before any author's code: the portable profile as globals, and the functions by
 * which the child drives a job. Evaluated once, when the interpreter's starting image is made; every job gets a copy.
 */

/** Bound by the wrapper around the bundled prelude; authors never see it. */
declare const bridge: Bridge;
connect(bridge);

type LoadPackage = (name: string) => Promise<unknown>;

interface Start {
  seed: number[];
  may: HostAccess;
}

const { parse } = JSON;
const { defineProperty, hasOwn } = Object;

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

const text = {
  encode: (value: string) => new TextEncoder().encode(value),
  decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
};
const network = makeFetch({ hostCall, text, URL, URLSearchParams });
const secrets = makeSecrets(hostCall);

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
    if (may.readSecrets) define("secrets", secrets);
    if (may.fetch) for (const [name, value] of Object.entries(network)) define(name, value);
    return run(parse(argsJson));
  },
  /** Gives the author's function its packages. @param modules by name, each a function that gives the namespace */
  link: (make: (load: LoadPackage) => unknown, modules: Record<string, () => object>) =>
    make(async (name) => {
      if (!hasOwn(modules, name)) throw new TypeError(`Cannot find package '${name}'`);
      return modules[name]?.();
    }),
  finish: serialize,
  describe,
  reply,
  /** What a timer's function throws has nobody to go to; it is shown, and the job goes on. */
  fire(id: number): void {
    try {
      fire(id);
    } catch (error) {
      write("error", ["Uncaught:", error]);
    }
  },
};
