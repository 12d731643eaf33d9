/** Made by the bundler: see scripts/build.ts. */
declare module "guest:prelude" {
  /** The code in `guest/`, bundled into one function `(bridge) => harness`. */
  const source: string;
  export default source;
}

declare module "quickjs:wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}

/** The little of WebAssembly's JavaScript interface that we use; Node's types leave it to the DOM's. */
declare namespace WebAssembly {
  class Memory {
    constructor(limits: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
  }
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
    static exports(module: Module): { name: string; kind: string }[];
  }
  class Instance {
    constructor(module: Module, imports: object);
    readonly exports: Record<string, unknown>;
  }
}
