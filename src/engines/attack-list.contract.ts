import type { JobFailed } from "./engine.ts";

type Code = JobFailed["code"];

export interface Attack extends HarmlessEnd {
  name: string;
  code: string;
  /**
   * Where the Node API makes it another attack. A process gets its memory page by page from a kernel that others keep busy
   * too, and V8 cleans up again and again before it gives in: what ends at the limit of memory may end at that of time.
   */
  withNode?: HarmlessEnd;
}

export interface HarmlessEnd {
  /** How it may end; `done` means that it has to come back as harmless data. */
  ends: readonly (Code | "done")[];
  /** What a harmless end gives; anything, when it is not said. */
  gives?: unknown;
}

/** Each runs with one second and 64 MiB. None may hurt the host, and the next job has to be fine. */
export const ATTACKS: readonly Attack[] = [
  { name: "endless loop", code: "for (;;);", ends: ["TIMEOUT"] },
  { name: "endless loop that catches everything", code: "for (;;) try { for (;;); } catch {} finally { continue }", ends: ["TIMEOUT"] }, // prettier-ignore
  { name: "endless loop in a getter of the result", code: "return { get a() { for (;;); } }", ends: ["TIMEOUT"] },
  { name: "endless loop in toJSON", code: "return { toJSON() { for (;;); } }", ends: ["TIMEOUT"] },
  { name: "endless loop in a proxy", code: "return new Proxy({}, { ownKeys() { for (;;); } })", ends: ["TIMEOUT"] },
  { name: "endless loop in a timer", code: "setTimeout(() => { for (;;); }, 1); await new Promise(() => {})", ends: ["TIMEOUT"] }, // prettier-ignore
  { name: "endless loop in an error's message", code: "throw { get message() { for (;;); }, toString() { for (;;); } }", ends: ["TIMEOUT", "CODE_THREW"] }, // prettier-ignore
  { name: "endless microtasks", code: "const f = () => Promise.resolve().then(f); await f()", ends: ["TIMEOUT", "OUT_OF_MEMORY"] }, // prettier-ignore
  { name: "many endless microtasks", code: "for (let i = 0; i < 1e4; i++) (async () => { for (;;) await null })(); await new Promise(() => {})", ends: ["TIMEOUT", "OUT_OF_MEMORY"] }, // prettier-ignore
  { name: "endless timers", code: "const f = () => setTimeout(f, 0); f(); await new Promise(() => {})", ends: ["TIMEOUT"] }, // prettier-ignore
  { name: "a flood of timers", code: "for (;;) setTimeout(() => {}, 1e6)", ends: ["CODE_THREW"], withNode: { ends: ["OUT_OF_MEMORY", "TIMEOUT"] } }, // prettier-ignore
  { name: "catastrophic regular expression", code: "return /(a+)+$/.test('a'.repeat(40) + 'b')", ends: ["TIMEOUT", "OUT_OF_MEMORY", "CODE_THREW"] }, // prettier-ignore
  { name: "memory: arrays", code: "const a = []; for (;;) a.push(new Array(10_000).fill(1))", ends: ["OUT_OF_MEMORY"], withNode: { ends: ["OUT_OF_MEMORY", "TIMEOUT"] } }, // prettier-ignore
  { name: "memory: strings", code: "const a = []; for (let i = 0; ; i++) a.push('x'.repeat(1e6) + i)", ends: ["OUT_OF_MEMORY", "TIMEOUT"] }, // prettier-ignore
  { name: "memory: one growing string", code: "let s = 'x'; for (;;) s += s", ends: ["OUT_OF_MEMORY", "CODE_THREW"] },
  { name: "memory: array buffers", code: "const a = []; for (;;) a.push(new ArrayBuffer(1e6))", ends: ["OUT_OF_MEMORY", "CODE_THREW"], withNode: { ends: ["OUT_OF_MEMORY", "CODE_THREW", "TIMEOUT"] } }, // prettier-ignore
  { name: "memory: one huge array buffer", code: "return new ArrayBuffer(2 ** 31 - 1).byteLength", ends: ["OUT_OF_MEMORY", "CODE_THREW"], withNode: { ends: ["done", "OUT_OF_MEMORY", "CODE_THREW"], gives: 2 ** 31 - 1 } }, // prettier-ignore
  { name: "memory: objects, catching the error", code: "const a = []; for (;;) try { for (;;) a.push({ a: [] }); } catch {}", ends: ["OUT_OF_MEMORY", "TIMEOUT"] }, // prettier-ignore
  { name: "memory: bytes through TextEncoder", code: "const a = []; for (;;) a.push(new TextEncoder().encode('x'.repeat(1e6)))", ends: ["OUT_OF_MEMORY", "TIMEOUT"] }, // prettier-ignore
  { name: "memory: a Map of maps", code: "let m = new Map(); for (;;) m = new Map([[m, new Map([[m, 1]])]])", ends: ["OUT_OF_MEMORY", "TIMEOUT"] }, // prettier-ignore
  { name: "memory: one operation that asks for too much", code: "return 'é'.repeat(1e7).normalize('NFD').length", ends: ["OUT_OF_MEMORY"], withNode: { ends: ["OUT_OF_MEMORY", "TIMEOUT", "done", "CODE_THREW"], gives: 20_000_000 } }, // prettier-ignore
  { name: "memory: a million keys", code: "const o = {}; for (let i = 0; ; i++) o['k' + i] = i", ends: ["OUT_OF_MEMORY", "TIMEOUT"] }, // prettier-ignore
  { name: "an endless native operation", code: "return new Array(1e9).join('x').length", ends: ["TIMEOUT", "OUT_OF_MEMORY"], withNode: { ends: ["TIMEOUT", "OUT_OF_MEMORY", "CODE_THREW"] } }, // prettier-ignore
  { name: "a huge sparse result", code: "const a = []; a[1e9] = 1; return a", ends: ["TIMEOUT", "OUT_OF_MEMORY"] },
  { name: "huge code at run time", code: "return eval('1;'.repeat(1e6))", ends: ["done", "TIMEOUT", "OUT_OF_MEMORY"], gives: 1 }, // prettier-ignore
  { name: "an instanceof that lies", code: "Object.defineProperty(Error, Symbol.hasInstance, { value: () => true }); throw { message: 'out of memory' }", ends: ["CODE_THREW", "OUT_OF_MEMORY"] }, // prettier-ignore
  {
    name: "a revoked proxy thrown",
    code: "const r = Proxy.revocable({}, {}); r.revoke(); throw r.proxy",
    ends: ["CODE_THREW"],
  },
  { name: "100 MB of console output", code: "const s = 'x'.repeat(1e6); for (let i = 0; i < 100; i++) console.log(s); return 1", ends: ["done", "TIMEOUT"], gives: 1 }, // prettier-ignore
  { name: "a million console lines", code: "for (let i = 0; i < 1e6; i++) console.log(''); return 1", ends: ["done", "TIMEOUT"], gives: 1 }, // prettier-ignore
  { name: "a result of 100 MB", code: "return 'x'.repeat(1e8)", ends: ["OUT_OF_MEMORY", "TOO_LARGE"] },
  { name: "a result of 5 MB", code: "return 'x'.repeat(5e6)", ends: ["TOO_LARGE"] },
  { name: "a huge error", code: "throw new Error('x'.repeat(2e7))", ends: ["CODE_THREW", "OUT_OF_MEMORY"] },
  { name: "deep recursion", code: "const f = () => f() + 1; return f()", ends: ["CODE_THREW"] },
  { name: "a deeply nested result", code: "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a", ends: ["CODE_THREW", "TIMEOUT"] }, // prettier-ignore
  { name: "deeply nested JSON", code: "return JSON.parse('['.repeat(2e5))", ends: ["CODE_THREW"] },
  { name: "deeply nested code", code: "return eval('('.repeat(1e5) + ')'.repeat(1e5))", ends: ["CODE_THREW"] },
  { name: "process.exit", code: "process.exit(0)", ends: ["CODE_THREW"], withNode: { ends: ["PROCESS_EXITED"] } }, // prettier-ignore
  { name: "the file system by import", code: "return (await import('node:fs')).readFileSync('/etc/passwd', 'utf8')", ends: ["CODE_THREW"] }, // prettier-ignore
  { name: "a child process by import", code: "return (await import('child_process')).execSync('id').toString()", ends: ["CODE_THREW"] }, // prettier-ignore
  { name: "the network", code: "return fetch('http://127.0.0.1:1')", ends: ["CODE_THREW"] },
  { name: "the environment", code: "return globalThis.process === undefined && typeof Deno === 'undefined'", ends: ["done"], gives: true, withNode: { ends: ["done"], gives: false } }, // prettier-ignore
  { name: "the host through a constructor", code: "const g = args.constructor.constructor('return globalThis')(); return [typeof g.process, typeof g.require, g === globalThis]", ends: ["done"], gives: ["undefined", "undefined", true], withNode: { ends: ["done"], gives: ["object", "function", true] } }, // prettier-ignore
  { name: "the host through an error's frames", code: "const e = new Error(); return typeof e.stack + typeof arguments.callee", ends: ["CODE_THREW"] }, // prettier-ignore
  { name: "the prelude's inside through console", code: "return typeof console.log.constructor('return bridge')", ends: ["done"], gives: "function" }, // prettier-ignore
  { name: "the bridge by name", code: "return [typeof bridge, typeof prelude, typeof host]", ends: ["done"], gives: Array(3).fill("undefined") }, // prettier-ignore
  { name: "polluted prototypes", code: "Object.prototype.isAdmin = true; Array.prototype.push = () => 0; String.prototype.slice = () => 'forged'; return { a: 1 }", ends: ["done"], gives: { a: 1 } }, // prettier-ignore
  { name: "a forged result by JSON", code: "JSON.stringify = () => '{\"forged\":1}'; JSON.parse = () => ({}); return { real: 1 }", ends: ["done"], gives: { real: 1 } }, // prettier-ignore
  { name: "a forged result by Promise", code: "Promise.prototype.then = (f) => f('forged'); Promise.resolve = () => 'forged'; return { real: 1 }", ends: ["done"], gives: { real: 1 } }, // prettier-ignore
  { name: "a forged end by printing", code: "console.log('\\u0000\\u0008{\"code\":\"SHUTTING_DOWN\"}'); return 1", ends: ["done"], gives: 1 }, // prettier-ignore
  { name: "a forged code by throwing", code: "throw Object.assign(new Error('x'), { code: 'SHUTTING_DOWN', kind: 'not-json' })", ends: ["CODE_THREW"] }, // prettier-ignore
  { name: "frozen everything", code: "for (const k of Object.getOwnPropertyNames(globalThis)) try { Object.freeze(globalThis[k]); Object.freeze(globalThis[k].prototype) } catch {} return 1", ends: ["done"], gives: 1 }, // prettier-ignore
  { name: "every global deleted", code: "for (const k of Object.getOwnPropertyNames(globalThis)) try { delete globalThis[k] } catch {} return 1", ends: ["done"], gives: 1 }, // prettier-ignore
  { name: "a species that throws", code: "Object.defineProperty(Promise, Symbol.species, { get() { throw 1 } }); return 1", ends: ["done"], gives: 1 }, // prettier-ignore
  {
    name: "a rejection that nobody handles",
    code: "Promise.reject(new Error('boom')); return 1",
    ends: ["done"],
    gives: 1,
  },
  { name: "an error in a timer", code: "setTimeout(() => { throw new Error('boom') }, 1); await new Promise((r) => setTimeout(r, 5)); return 1", ends: ["done"], gives: 1 }, // prettier-ignore
  { name: "a promise that never settles", code: "await new Promise(() => {})", ends: ["NEVER_SETTLES"] },
  { name: "a thenable that never calls back", code: "return { then() {} }", ends: ["NEVER_SETTLES"] },
  { name: "an abort of the interpreter by finalizers", code: "const r = new FinalizationRegistry(() => { for (;;); }); for (let i = 0; i < 1e5; i++) r.register({}, i); return 1", ends: ["done", "TIMEOUT", "OUT_OF_MEMORY"], gives: 1 }, // prettier-ignore
  { name: "a huge URL", code: "return new URL('http://x/' + 'é'.repeat(1e6)).href.length > 1e6", ends: ["done", "OUT_OF_MEMORY"], gives: true }, // prettier-ignore
  { name: "a huge request for randomness", code: "crypto.getRandomValues(new Uint8Array(1e7))", ends: ["CODE_THREW"] },
  { name: "a sort that lies", code: "return [...Array(2e4).keys()].sort(() => Math.random() - 0.5).length", ends: ["done"], gives: 20_000 }, // prettier-ignore
];
