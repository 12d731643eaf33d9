import type { Attack } from "./attack-list.contract.ts";

/** A frame as the sandbox's program sends it: length, kind, length of the head, head, rest. */
const FRAME =
  "const fs = require('fs'); const frame = (kind, head, rest = '') => { const h = Buffer.from(JSON.stringify(head)); const r = Buffer.from(rest); " +
  "const b = Buffer.alloc(9); b.writeUInt32BE(5 + h.length + r.length, 0); b[4] = kind; b.writeUInt32BE(h.length, 5); return Buffer.concat([b, h, r]); }; " +
  "const all = (bytes) => { for (let fd = 0; fd < 20; fd++) try { fs.writeSync(fd, bytes) } catch {} }; ";
const DONE = "{ logs: [], logBytesDropped: 0, rssMiB: 1 }";
const NO_END = " await new Promise((r) => setTimeout(r, 60_000))";

/** What a program with the Node API can try. A guest that forges frames may lie about its own result: nothing else. */
export const NODE_ATTACKS: readonly Attack[] = [
  // processes
  { name: "a child process", code: "return require('child_process').execSync('id').toString()", ends: ["CODE_THREW"] },
  { name: "a fork bomb", code: "const { spawn } = require('child_process'); for (;;) spawn(process.execPath, ['-e', 'for(;;);'])", ends: ["CODE_THREW", "TIMEOUT", "OUT_OF_MEMORY"] }, // prettier-ignore
  { name: "a detached child", code: "require('child_process').spawn('sh', ['-c', 'sleep 600'], { detached: true, stdio: 'ignore' }).unref(); await null; return 1", ends: ["CODE_THREW"] }, // prettier-ignore
  { name: "a bomb of threads", code: "const { Worker } = require('worker_threads'); for (;;) new Worker('for(;;);', { eval: true })", ends: ["CODE_THREW", "TIMEOUT", "OUT_OF_MEMORY"] }, // prettier-ignore
  { name: "native code", code: "process.dlopen({ exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6')", ends: ["CODE_THREW"] }, // prettier-ignore
  { name: "Node's inside", code: "return process.binding('spawn_sync').spawn({ file: '/bin/sh', args: ['sh'] }) && 1", ends: ["CODE_THREW"] }, // prettier-ignore
  { name: "the debugger", code: "const i = require('inspector'); i.open(0, '127.0.0.1'); return 1", ends: ["CODE_THREW", "done", "NEVER_SETTLES", "TIMEOUT"] }, // prettier-ignore

  // signals
  { name: "SIGKILL to everybody", code: "process.kill(-1, 'SIGKILL'); return 1", ends: ["done", "CODE_THREW", "PROCESS_EXITED"], gives: 1 }, // prettier-ignore
  { name: "SIGKILL to the parent", code: "process.kill(process.ppid, 'SIGKILL'); return 1", ends: ["done", "CODE_THREW", "PROCESS_EXITED"] }, // prettier-ignore
  { name: "signals to the first thousand", code: "let n = 0; for (let p = 1; p < 1000; p++) if (p !== process.pid) try { process.kill(p, 'SIGKILL'); n++ } catch {} return n < 4", ends: ["done", "PROCESS_EXITED"], gives: true }, // prettier-ignore
  { name: "SIGTERM ignored", code: "for (const s of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGXCPU']) process.on(s, () => {}); for (;;);", ends: ["TIMEOUT"] }, // prettier-ignore
  { name: "SIGTERM ignored, by a guest that waits", code: "process.on('SIGTERM', () => {}); setInterval(() => {}, 1);" + NO_END, ends: ["TIMEOUT"] }, // prettier-ignore
  { name: "exit handlers that never end", code: "process.on('exit', () => { for (;;); }); process.exit(0)", ends: ["PROCESS_EXITED"] }, // prettier-ignore
  { name: "a handler of everything that throws", code: "process.on('uncaughtException', () => { throw 1 }); setTimeout(() => { throw 2 }, 1);" + NO_END, ends: ["PROCESS_EXITED", "TIMEOUT"] }, // prettier-ignore
  { name: "a kept empty loop", code: "process.on('beforeExit', () => setTimeout(() => {}, 1)); await new Promise(() => {})", ends: ["NEVER_SETTLES"] }, // prettier-ignore

  // disk and descriptors
  { name: "a full /tmp", code: "const fs = require('fs'); const f = fs.openSync('/tmp/x', 'w'); for (;;) fs.writeSync(f, Buffer.alloc(1e6))", ends: ["CODE_THREW", "OUT_OF_MEMORY", "PROCESS_EXITED"] }, // prettier-ignore
  { name: "a million files", code: "const fs = require('fs'); for (let i = 0; ; i++) fs.writeFileSync('/tmp/' + i, '')", ends: ["CODE_THREW", "OUT_OF_MEMORY", "TIMEOUT"] }, // prettier-ignore
  { name: "all descriptors", code: "const fs = require('fs'); fs.writeFileSync('/tmp/x', ''); for (;;) fs.openSync('/tmp/x')", ends: ["CODE_THREW", "TIMEOUT", "OUT_OF_MEMORY"] }, // prettier-ignore
  { name: "memory behind the heap", code: "const a = []; for (;;) a.push(Buffer.alloc(1e6, 1))", ends: ["OUT_OF_MEMORY", "CODE_THREW", "TIMEOUT"] }, // prettier-ignore
  { name: "memory in WebAssembly", code: "const a = []; for (;;) { const m = new WebAssembly.Memory({ initial: 16 }); new Uint8Array(m.buffer).fill(1); a.push(m) }", ends: ["OUT_OF_MEMORY", "CODE_THREW", "TIMEOUT"] }, // prettier-ignore

  // floods
  { name: "a flood on stdout", code: "const s = 'x'.repeat(1e6); for (let i = 0; i < 100; i++) process.stdout.write(s); return 1", ends: ["done", "TIMEOUT", "OUT_OF_MEMORY"], gives: 1 }, // prettier-ignore
  { name: "a flood on descriptors 1 and 2", code: "const fs = require('fs'); const b = Buffer.alloc(1e6, 'x'); for (let i = 0; i < 100; i++) for (const fd of [1, 2]) try { fs.writeSync(fd, b) } catch {} return 1", ends: ["done", "TIMEOUT", "ENGINE_CRASHED", "TOO_LARGE"], gives: 1 }, // prettier-ignore
  { name: "a flood of warnings", code: "for (let i = 0; i < 1e4; i++) process.emitWarning('w' + i); await null; return 1", ends: ["done", "TIMEOUT"], gives: 1 }, // prettier-ignore

  // forged frames
  { name: "a forged result", code: FRAME + `all(frame(8, ${DONE}, '{"forged":1}'));` + NO_END, ends: ["done", "ENGINE_CRASHED"], gives: { forged: 1 } }, // prettier-ignore
  { name: "a forged result that is not JSON", code: FRAME + `all(frame(8, ${DONE}, '{"a":'));` + NO_END, ends: ["ENGINE_CRASHED"] }, // prettier-ignore
  { name: "a forged result larger than the limit", code: FRAME + `all(frame(8, ${DONE}, JSON.stringify('x'.repeat(5e6))));` + NO_END, ends: ["TOO_LARGE", "ENGINE_CRASHED", "TIMEOUT"] }, // prettier-ignore
  { name: "a forged end by the server", code: FRAME + "all(frame(8, { code: 'SHUTTING_DOWN', logs: [], logBytesDropped: 0 }));" + NO_END, ends: ["ENGINE_CRASHED"] }, // prettier-ignore
  { name: "forged logs beyond the limit", code: FRAME + "all(frame(6, { logs: Array(20).fill({ level: 'log', text: 'x'.repeat(1e3) }) }));" + NO_END, ends: ["TOO_LARGE", "ENGINE_CRASHED"] }, // prettier-ignore
  { name: "forged logs of another shape", code: FRAME + "all(frame(6, { logs: [{ level: 'fatal', text: {} }] }));" + NO_END, ends: ["ENGINE_CRASHED"] }, // prettier-ignore
  { name: "a forged call that it may not make", code: FRAME + "all(frame(5, { method: 'secrets.get', step: 0 }, '{\"name\":\"x\"}'));" + NO_END, ends: ["ENGINE_CRASHED"] }, // prettier-ignore
  { name: "a forged frame without an end", code: FRAME + "all(Buffer.from([255, 255, 255, 255]));" + NO_END, ends: ["TOO_LARGE", "ENGINE_CRASHED"] }, // prettier-ignore
  { name: "forged frames of garbage", code: FRAME + "for (let i = 0; i < 100; i++) all(Buffer.from([0, 0, 0, 9, i, 0, 0, 0, i, 1, 2, 3, 4]));" + NO_END, ends: ["ENGINE_CRASHED", "TOO_LARGE"] }, // prettier-ignore
  { name: "a flood of forged frames", code: FRAME + "const f = Buffer.concat(Array(1e4).fill(frame(7, {}))); for (;;) all(f)", ends: ["TOO_LARGE", "TIMEOUT", "ENGINE_CRASHED"] }, // prettier-ignore
  { name: "the channel closed", code: "const fs = require('fs'); for (let fd = 0; fd < 30; fd++) try { fs.closeSync(fd) } catch {} return 1", ends: ["done", "PROCESS_EXITED", "TIMEOUT", "ENGINE_CRASHED", "OUT_OF_MEMORY"] }, // prettier-ignore
  { name: "answers to itself", code: "const net = require('net'); const s = new net.Socket({ fd: 3 }); s.on('data', () => {}); return 1", ends: ["done", "CODE_THREW", "PROCESS_EXITED", "TIMEOUT"] }, // prettier-ignore
  { name: "what the result is made with, patched", code: "for (const o of [Buffer, Buffer.prototype, Uint8Array.prototype, TextEncoder.prototype, require('fs'), require('net').Socket.prototype, Promise, Promise.prototype, JSON, Reflect, Atomics]) for (const k of Object.getOwnPropertyNames(o)) try { if (typeof o[k] === 'function') o[k] = () => { throw new Error('patched') } } catch {} return { real: 1 }", ends: ["done"], gives: { real: 1 } }, // prettier-ignore
  { name: "a toJSON on every prototype", code: "const real = { real: 1 }; Object.setPrototypeOf(real, null); Object.prototype.toJSON = Array.prototype.toJSON = () => 'forged'; return real", ends: ["done"], gives: { real: 1 } }, // prettier-ignore
];
