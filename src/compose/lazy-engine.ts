import { DynamicMcpError } from "../core/errors.ts";
import type { EngineName, ExecutionEngine } from "../engines/engine.ts";
import { lazily } from "./lazily.ts";

/** An engine that is loaded when it first has something to do. Closed before that, it never is. */
export function lazyEngine(name: EngineName, make: () => Promise<ExecutionEngine>): ExecutionEngine {
  const engine = lazily(make);
  let isClosed = false;
  const open = async () => {
    if (isClosed) throw new DynamicMcpError("SHUTTING_DOWN", `the ${name} engine is closed`);
    return engine.get();
  };
  return {
    name,
    run: async (job, host, deadline) => (await open()).run(job, host, deadline),
    probe: async () => (await open()).probe(),
    async close() {
      isClosed = true;
      await (await engine.made())?.close();
    },
  };
}
