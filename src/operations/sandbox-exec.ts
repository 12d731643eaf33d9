import { actorOf } from "../authored/authored.ts";
import { operation } from "./operation.ts";
import { resultOfRun, runResult } from "./sandbox-run-result.ts";
import { bytesIn, filesIn, filesOut, sessionId, shellTimeout } from "./sandbox-shapes.ts";

const COMMAND_CHARS = 100_000;

export const sandboxExec = operation({
  name: "sandbox.exec",
  toolset: "sandbox",
  title: "Run commands in a shell",
  description:
    'Runs command lines in a shell, one after the other, and shows what each printed and its exit code. Stops at the first that fails. The current folder, exported variables and files are kept for the next call; what is started with & goes on in the background. Example: {"sessionId":"mcp-sbx-...","commands":["cd app","npm test"],"readFiles":["report.txt"]}',
  permission: "author",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  input: (z) =>
    z.strictObject({
      sessionId: sessionId(z),
      commands: z
        .array(
          z
            .string()
            .min(1)
            .max(COMMAND_CHARS)
            .refine((text) => !text.includes("\0"), "must not hold a zero character"),
        )
        .min(1)
        .max(20)
        .describe("Command lines for sh"),
      timeoutMs: shellTimeout(z, "Time limit of all commands together, in ms; at it they are killed"),
      continueOnError: z.boolean().default(false).describe("true: run the rest also when one fails"),
      files: filesIn(z),
      readFiles: filesOut(z),
    }),
  output: runResult,

  async handle({ shells }, args, ctx) {
    const request = { ...args, id: args.sessionId, files: bytesIn(args.files) };
    return resultOfRun(await shells.exec(request, actorOf(ctx)), args.timeoutMs, true);
  },
});
