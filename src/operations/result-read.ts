import { textContent } from "../core/results.ts";
import { operation } from "./operation.ts";

export const resultRead = operation({
  name: "result_read",
  toolset: "results",
  title: "Read on in a large result",
  description:
    'Reads on in a result that was too large to show: from an offset, only lines with some words, or values at a JSONPath. Example: {"handle":"<handle>","query":"error"}',
  permission: "use",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: (z) =>
    z.strictObject({
      handle: z.string().min(1).max(300).describe("As the preview says it"),
      offset: z.int().min(0).exactOptional().describe("From this character on"),
      query: z.string().min(1).max(1_000).exactOptional().describe("Only lines with these words"),
      jsonpath: z
        .string()
        .min(1)
        .max(1_000)
        .exactOptional()
        .describe("Only values at this path, such as $.items[*].name"),
      chars: z.int().min(1).max(1_000_000).exactOptional().describe("Most characters to answer with"),
    }),

  async handle({ results }, { handle, ...part }, { caller }) {
    const { text, ...about } = await results.read(caller, handle, part);
    // The piece as it is; where it stands in a block of its own.
    if (typeof text === "string") return { content: [textContent(text), textContent(JSON.stringify(about))] };
    return { content: [textContent(JSON.stringify(text === undefined ? about : { text, ...about }))] };
  },
});
