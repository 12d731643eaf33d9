import { actorOf } from "../authored/authored.ts";
import { LIMITS } from "../core/limits.ts";
import { structured } from "../core/results.ts";
import { operation } from "./operation.ts";
import { bytesIn, filesIn } from "./sandbox-shapes.ts";

/** A first start may have to fetch an image. */
const START_MS = { min: 1_000, max: 120_000, default: 120_000 };

export const sandboxInitialize = operation({
  name: "sandbox.initialize",
  toolset: "sandbox",
  title: "Start a shell",
  description:
    'Starts a shell: a container of your own, without network, in which sandbox_exec runs commands and sandbox_run_js runs JavaScript. Files and the current folder are kept between calls, until it is stopped or nobody used it for a while. Stop it when you are done. Example: {"files":[{"path":"hello.txt","text":"hi"}]}',
  permission: "author",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  input: (z) =>
    z.strictObject({
      image: z
        .string()
        .min(1)
        .max(LIMITS.imageChars)
        .exactOptional()
        .describe("Container image with a shell, one that the operator allows; left out: the operator's default"),
      timeoutMs: z
        .int()
        .min(START_MS.min)
        .max(START_MS.max)
        .default(START_MS.default)
        .describe("Time limit of the start, in ms"),
      files: filesIn(z),
    }),
  output: (z) =>
    z.looseObject({
      sessionId: z.string(),
      image: z.string(),
      timeoutMs: z.int().describe("It ends when unused for this long, in ms"),
      expiresAt: z.string(),
      workingFolder: z.string(),
    }),

  async handle({ shells }, { image, timeoutMs, files }, ctx) {
    const request = { timeoutMs, files: bytesIn(files), ...(image !== undefined && { image }) };
    const { view, idleMs, folder } = await shells.start(request, actorOf(ctx));
    const minutes = Math.max(1, Math.round(idleMs / 60_000));
    const text = `Started the shell ${view.id} of ${view.image}, in ${folder}. It ends after ${minutes} minutes without use. Run commands with sandbox_exec.`;
    return structured(text, {
      sessionId: view.id,
      image: view.image,
      timeoutMs: idleMs,
      expiresAt: view.expiresAt,
      workingFolder: folder,
    });
  },
});
