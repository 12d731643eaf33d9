import { createRequire } from "node:module";
import type { HostAccess } from "../../engine.ts";
import { makeConsole } from "../../guest/console.ts";
import { makeFetch } from "../../guest/fetch.ts";
import { crypto as seededCrypto, seededRandom } from "../../guest/random.ts";
import { makeSecrets } from "../../guest/secrets.ts";
import { hostCall, tools } from "../../guest/tools.ts";
import { seedWords } from "../seed.ts";

/**
 * Makes Node's globals what the portable profile says: the same console, randomness and host calls as on every engine.
 * What Node has beside them stays, but for its own ways to a network that is not there.
 */
const { defineProperty, getOwnPropertyDescriptor, assign, entries } = Object;
const NETWORK = ["fetch", "WebSocket", "EventSource", "XMLHttpRequest"];
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const text = { encode: encoder.encode.bind(encoder), decode: decoder.decode.bind(decoder) };
const network = makeFetch({ hostCall, text, URL, URLSearchParams });
const secrets = makeSecrets(hostCall);
const nativeCrypto = getOwnPropertyDescriptor(globalThis, "crypto");

export function installGlobals(seed: string, may: HostAccess): void {
  for (const name of NETWORK) delete (globalThis as Record<string, unknown>)[name];
  // On the object that is there: it is also what `require("console")` gives.
  assign(console, makeConsole());
  defineProperty(Math, "random", { value: seededRandom(seedWords(seed)), configurable: true, writable: true });
  define("crypto", guestCrypto());
  define("require", createRequire(`${process.cwd()}/tool.js`));
  give("tools", tools, may.callTools);
  give("secrets", secrets, may.readSecrets);
  if (may.fetch) for (const [name, value] of entries(network)) define(name, value);
}

function give(name: string, value: unknown, isAllowed: boolean): void {
  if (isAllowed) define(name, value);
  else delete (globalThis as Record<string, unknown>)[name];
}

function guestCrypto(): object {
  return {
    ...seededCrypto,
    get subtle(): unknown {
      const native: unknown = nativeCrypto?.get?.call(globalThis) ?? nativeCrypto?.value;
      return (native as { subtle?: unknown } | undefined)?.subtle;
    },
  };
}

function define(name: string, value: unknown): void {
  defineProperty(globalThis, name, { value, configurable: true, enumerable: false, writable: true });
}
