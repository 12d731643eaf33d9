import { actorOf } from "../authored/authored.ts";
import { runOnceDraft } from "../authored/definition.ts";
import { LIMITS } from "../core/limits.ts";
import { operation } from "./operation.ts";
import { resultOfRun, runResult } from "./sandbox-run-result.ts";
import { bytesIn, filesIn, filesOut, sessionId, shellTimeout } from "./sandbox-shapes.ts";

export const sandboxRunJs = operation({
  name: "sandbox.run_js",
  toolset: "sandbox",
  title: "Run JavaScript in a shell",
  description:
    'Runs an ES module with Node in a shell, in its current folder: `import` and top-level `await` work, files of the shell can be read and written. Print what you want to see. Example: {"sessionId":"mcp-sbx-...","code":"import { z } from \\"zod\\"; console.log(z.string().parse(\\"hi\\"));","dependencies":[{"name":"zod","version":"^4"}]}',
  permission: "author",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  input: (z) =>
    z.strictObject({
      sessionId: sessionId(z),
      code: z.string().min(1).max(LIMITS.codeChars).describe("A module, not the body of a function"),
      dependencies: runOnceDraft(z).shape.dependencies,
      timeoutMs: shellTimeout(z, "Time limit, in ms; at it the code is killed"),
      files: filesIn(z),
      readFiles: filesOut(z),
    }),
  output: runResult,

  async handle({ shells }, args, ctx) {
    const request = { ...args, id: args.sessionId, files: bytesIn(args.files) };
    return resultOfRun(await shells.runModule(request, actorOf(ctx)), args.timeoutMs, false);
  },
});
