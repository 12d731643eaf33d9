import { structured } from "../core/results.ts";
import { operation } from "./operation.ts";
import { shellView, viewContent } from "./sandbox-shapes.ts";

export const sandboxSessionList = operation({
  name: "sandbox.session.list",
  toolset: "sandbox",
  title: "List your shells",
  description: "Lists the shells that you have started and that still run, oldest first. Takes no arguments.",
  permission: "author",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: (z) => z.strictObject({}),
  output: (z) => z.object({ sessions: z.array(shellView(z)) }),

  async handle({ shells }, _args, ctx) {
    const views = shells.list(ctx.caller.principal.id);
    const lines = views.map(({ id, image, lastUsedAt, expiresAt }) => `- ${id} (${image}): last used ${lastUsedAt}, ends ${expiresAt}`); // prettier-ignore
    return structured([`Shells: ${views.length}`, ...lines].join("\n"), { sessions: views.map(viewContent) });
  },
});
