import prelude from "guest:prelude";
import { copyMemory, type MemoryImage } from "./memory-image.ts";
import { instantiate, type Instance, INITIAL_PAGES, type Pointer, WASM_PAGE_BYTES } from "./quickjs-build.ts";

export type { Pointer };

/**
 * One interpreter that begins every job from the same bytes.
 *
 * Once, a runtime and a context are made and the prelude is evaluated; then the memory is copied. After a job that copy is
 * put back: 0.03 ms instead of 0.25 for a fresh context, and nothing of a job is left in any byte, see `MemoryImage`.
 * So handles of a job are never freed; they end with it.
 *
 * After a trap (any exception that comes out of WebAssembly) the instance is poisoned and must not be used again.
 */
export interface Interpreter {
  /** Puts everything back to the start, for a guest that may use `memoryMiB` for its heap. */
  reset(memoryMiB: number): Promise<void>;
  /**
   * After a job, and never within one: removes all that it left, and gives back what it made the memory grow. What is not
   * done here is done by `reset`.
   */
  tidy(): Promise<void>;
  /** Whether the guest has used most of what it may: memory grows and never shrinks within a job. */
  isNearlyFull(): boolean;
  /** Lets the guest use a little more, so that an out-of-memory error can still be described. */
  addSlack(): void;

  /** @throws GuestThrew */
  evaluate(code: string | Uint8Array, file: string): Pointer;
  /** Calls one of the prelude's functions. @throws GuestThrew */
  call(name: HarnessName, ...args: Pointer[]): Pointer;
  hasJobs(): boolean;
  /** Runs up to `max` jobs (promise reactions). An uncatchable end shows in the interrupt flag, not here. */
  runJobs(max: number): void;
  promiseState(promise: Pointer): "pending" | "fulfilled" | "rejected";
  promiseResult(promise: Pointer): Pointer;

  string(text: string | Uint8Array): Pointer;
  number(value: number): Pointer;
  boolean(value: boolean): Pointer;
  /** The value as text, in UTF-8, copied. Empty when it cannot be had. */
  readBytes(value: Pointer): Uint8Array;
}

export type HarnessName = "start" | "link" | "finish" | "describe" | "reply" | "fire";
const HARNESS: readonly HarnessName[] = ["start", "link", "finish", "describe", "reply", "fire"];

/** Something thrown in the guest; `thrown` is a handle for `describe`. */
export class GuestThrew extends Error {
  readonly thrown: Pointer;
  constructor(thrown: Pointer) {
    super("the guest threw");
    this.thrown = thrown;
  }
}

export interface Outside {
  /** A call through the bridge. @returns text, bytes, or nothing */
  bridge(op: number, text: Uint8Array, bytes: Uint8Array | undefined): string | Uint8Array | undefined;
  shouldInterrupt(): boolean;
}

/**
 * Of the 5 MiB that the build has. Some recursion inside the interpreter (deeply nested JSON, say) takes eight times as
 * much of V8's stack, which then ends first: see `isV8StackOverflow`. Windows gives a program less of that.
 */
const STACK_BYTES = process.platform === "win32" ? 256 * 1024 : 1024 * 1024;
const MAX_ARGS = 4;
const SLACK_BYTES = 4 * 1024 * 1024;
const MIB = 1024 * 1024;
/** Beside the guest's heap: stack, static data, the allocator's own loss, and slack. */
const OVERHEAD_PAGES = INITIAL_PAGES + SLACK_BYTES / WASM_PAGE_BYTES;
const MAX_PAGES = 32_768;
/** An instance whose memory grew past this is replaced; memory never shrinks. */
const KEEP_BYTES = 24 * MIB;
const BRIDGE_ID = 1;

interface Template {
  image: MemoryImage;
  runtime: Pointer;
  ctx: Pointer;
  argv: Pointer;
  contextOut: Pointer;
  harness: Record<HarnessName, Pointer>;
}

export async function createInterpreter(outside: Outside): Promise<Interpreter> {
  const callbacks = {
    callFunction: (_: undefined, ctx: Pointer, _self: Pointer, argc: number, argv: Pointer) =>
      onBridge(ctx, argc, argv),
    shouldInterrupt: (): 0 | 1 => (outside.shouldInterrupt() ? 1 : 0),
    freeHostRef() {},
  };
  let pages = OVERHEAD_PAGES;
  let memoryBytes = 64 * MIB;
  let instance = await instantiate(pages, callbacks);
  const template = makeTemplate(instance);
  const { runtime, ctx, argv, contextOut } = template;
  let isDirty = true;

  /** Must not throw: that would tear through the interpreter's own frames. Without an answer the guest throws. */
  function onBridge(from: Pointer, argc: number, args: Pointer): Pointer {
    try {
      return answer(from, argc, args);
    } catch {
      return instance.c.QTS_GetUndefined();
    }
  }

  function answer(from: Pointer, argc: number, args: Pointer): Pointer {
    const { c } = instance;
    const at = (index: number) => c.QTS_ArgvGetJSValueConstPointer(args, index);
    const op = c.QTS_GetFloat64(from, at(0));
    const text = readBytes(at(1));
    let bytes: Uint8Array | undefined;
    if (argc > 2) {
      const length = c.QTS_GetArrayBufferLength(from, at(2));
      const data = length > 0 ? c.QTS_GetArrayBuffer(from, at(2)) : 0;
      bytes = data === 0 ? new Uint8Array() : instance.bytes().subarray(data, data + length);
    }
    const given = outside.bridge(op, text, bytes);
    if (given === undefined) return c.QTS_GetUndefined();
    if (typeof given === "string") return string(given);
    const data = instance.malloc(Math.max(1, given.byteLength));
    if (data === 0) throw new OutOfGuestMemory();
    instance.bytes().set(given, data);
    return c.QTS_NewArrayBuffer(from, data, given.byteLength);
  }

  function withText<T>(text: string | Uint8Array, use: (at: Pointer, bytes: number) => T): T {
    const utf8 = typeof text === "string" ? Buffer.from(text, "utf8") : text;
    const at = instance.malloc(utf8.byteLength + 1);
    if (at === 0) throw new OutOfGuestMemory();
    const heap = instance.bytes();
    heap.set(utf8, at);
    heap[at + utf8.byteLength] = 0;
    const result = use(at, utf8.byteLength);
    instance.free(at);
    return result;
  }

  function string(text: string | Uint8Array): Pointer {
    return withText(text, (at) => instance.c.QTS_NewString(ctx, at));
  }

  function readBytes(value: Pointer): Uint8Array {
    const text = instance.c.QTS_GetString(ctx, value);
    if (text === 0) return new Uint8Array();
    const heap = instance.bytes();
    const copy = heap.slice(text, heap.indexOf(0, text));
    instance.c.QTS_FreeCString(ctx, text);
    return copy;
  }

  function checked(value: Pointer): Pointer {
    const thrown = instance.c.QTS_ResolveException(ctx, value);
    if (thrown !== 0) throw new GuestThrew(thrown);
    return value;
  }

  async function renew(): Promise<void> {
    const wasLarge = instance.memory.buffer.byteLength > KEEP_BYTES;
    instance = await instantiate(pages, callbacks);
    template.image.restore(instance.bytes());
    isDirty = false;
    if (wasLarge) globalThis.gc?.();
  }

  async function tidy(): Promise<void> {
    if (!isDirty) return;
    if (instance.memory.buffer.byteLength > KEEP_BYTES) return renew();
    template.image.restore(instance.bytes());
    isDirty = false;
  }

  return {
    async reset(memoryMiB) {
      const wanted = Math.min(MAX_PAGES, OVERHEAD_PAGES + Math.ceil((memoryMiB * MIB) / WASM_PAGE_BYTES));
      if (wanted === pages) {
        await tidy();
      } else {
        pages = wanted;
        await renew();
      }
      isDirty = true;
      memoryBytes = memoryMiB * MIB;
      instance.c.QTS_RuntimeSetMemoryLimit(runtime, memoryBytes);
    },
    tidy,
    isNearlyFull: () => instance.memory.buffer.byteLength > memoryBytes * 0.75,
    addSlack() {
      instance.c.QTS_RuntimeSetMemoryLimit(runtime, memoryBytes + SLACK_BYTES);
    },
    evaluate: (code, file) => checked(withText(code, (at, bytes) => instance.c.QTS_Eval(ctx, at, bytes, file, 0, 0))),
    call(name, ...args) {
      const heap = new DataView(instance.memory.buffer);
      args.forEach((arg, index) => heap.setUint32(argv + 4 * index, arg, true));
      return checked(
        instance.c.QTS_Call(ctx, template.harness[name], instance.c.QTS_GetUndefined(), args.length, argv),
      );
    },
    hasJobs: () => instance.c.QTS_IsJobPending(runtime) !== 0,
    runJobs(max) {
      instance.c.QTS_ExecutePendingJob(runtime, max, contextOut);
    },
    promiseState: (promise) =>
      (["pending", "fulfilled", "rejected"] as const)[instance.c.QTS_PromiseState(ctx, promise)] ?? "pending",
    promiseResult: (promise) => instance.c.QTS_PromiseResult(ctx, promise),
    string,
    number: (value) => instance.c.QTS_NewFloat64(ctx, value),
    boolean: (value) => (value ? instance.c.QTS_GetTrue() : instance.c.QTS_GetFalse()),
    readBytes,
  };
}

/** The guest's memory has no room for what we want to hand in. */
export class OutOfGuestMemory extends Error {}

/** V8 throws a RangeError when its stack ends, also out of WebAssembly. The instance is poisoned all the same. */
export function isV8StackOverflow(error: unknown): boolean {
  return error instanceof RangeError;
}

function makeTemplate(instance: Instance): Template {
  const { c } = instance;
  const runtime = c.QTS_NewRuntime();
  c.QTS_RuntimeSetMaxStackSize(runtime, STACK_BYTES);
  const ctx = c.QTS_NewContext(runtime, 0);
  c.QTS_RuntimeEnableInterruptHandler(runtime);
  const argv = instance.malloc(4 * MAX_ARGS);
  const contextOut = instance.malloc(4);

  const cString = (text: string) => {
    const utf8 = Buffer.from(text, "utf8");
    const at = instance.malloc(utf8.byteLength + 1);
    instance.bytes().set(utf8, at);
    instance.bytes()[at + utf8.byteLength] = 0;
    return { at, bytes: utf8.byteLength };
  };
  const checked = (value: Pointer) => {
    const thrown = c.QTS_ResolveException(ctx, value);
    if (thrown === 0) return value;
    const text = c.QTS_GetString(ctx, thrown);
    const heap = instance.bytes();
    throw new Error(`the prelude failed: ${Buffer.from(heap.slice(text, heap.indexOf(0, text))).toString()}`);
  };

  const code = cString(prelude);
  const make = checked(c.QTS_Eval(ctx, code.at, code.bytes, "prelude", 0, 0));
  instance.free(code.at);
  const bridge = c.QTS_NewFunction(ctx, "bridge", 3, false, BRIDGE_ID);
  new DataView(instance.memory.buffer).setUint32(argv, bridge, true);
  const object = checked(c.QTS_Call(ctx, make, c.QTS_GetUndefined(), 1, argv));
  const harness = {} as Record<HarnessName, Pointer>;
  for (const name of HARNESS) {
    const key = cString(name);
    harness[name] = checked(c.QTS_GetProp(ctx, object, c.QTS_NewString(ctx, key.at)));
  }
  return { image: copyMemory(instance), runtime, ctx, argv, contextOut, harness };
}
