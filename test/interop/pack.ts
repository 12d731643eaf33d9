/** The conformance pack, and tools that show what the runner does not ask for: cancelling, results of every shape. */
import { once } from "node:events";
import { definePack } from "../../src/packs/pack.ts";
import conformance from "../conformance/pack.ts";

let waiting = 0;
const ended: string[] = [];

export default definePack({
  ...conformance,
  name: "interop",
  tools: [
    ...(conformance.tools ?? []),
    {
      name: "wait",
      description: "Waits until it is ended.",
      async run(_args, { deadline }) {
        waiting++;
        try {
          if (!deadline.signal.aborted) await once(deadline.signal, "abort");
          deadline.throwIfEnded();
        } finally {
          waiting--;
          ended.push(deadline.reason ?? "none");
        }
      },
    },
    {
      name: "waiting",
      description: "Says how many calls of wait are running, and how the others have ended.",
      run: () => ({ waiting, ended }),
    },
    {
      name: "number",
      description: "Gives a number.",
      inputSchema: { type: "object", properties: { value: { type: "number" } }, required: ["value"] },
      outputSchema: { type: "number", minimum: 0 },
      run: ({ value }) => value,
    },
    {
      name: "echo",
      description: "Gives back its text.",
      inputSchema: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
      run: ({ text }) => String(text),
    },
    {
      name: "bug",
      description: "Returns what is not JSON.",
      run: () => 1n,
    },
  ],
});
