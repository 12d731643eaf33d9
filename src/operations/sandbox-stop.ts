import { textContent } from "../core/results.ts";
import { operation } from "./operation.ts";
import { sessionId } from "./sandbox-shapes.ts";

export const sandboxStop = operation({
  name: "sandbox.stop",
  toolset: "sandbox",
  title: "Stop a shell",
  description: 'Ends one of your shells, with its files and all that runs in it. Example: {"sessionId":"mcp-sbx-..."}',
  permission: "author",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  input: (z) => z.strictObject({ sessionId: sessionId(z) }),

  async handle({ shells }, args, ctx) {
    await shells.stop(args.sessionId, ctx.caller.principal.id);
    return { content: [textContent(`Stopped the shell ${args.sessionId}.`)] };
  },
});
