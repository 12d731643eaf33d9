import { toolDraft } from "../authored/definition.ts";
import { structured } from "../core/results.ts";
import { howToCall, sampleArguments } from "./how-to-call.ts";
import { operation } from "./operation.ts";
import { actorOf } from "../authored/authored.ts";
import { acceptedContent, dryRun, engineText, examplesText, toolResult } from "./shapes.ts";

export const toolCreate = operation({
  name: "dynamic.tool.create",
  toolset: "authoring",
  title: "Create a tool",
  description: [
    "Makes a new tool from JavaScript or TypeScript; it can be called at once, by every client.",
    "`code` is the body of `async function run(args)`: read `args`, `return` a JSON value, `throw` to fail; console output comes back as logs.",
    "It runs in a sandbox without files, network or environment. npm packages: name them in `dependencies` and `await import(name)`; Node's modules work where the server has an engine for them; `network`, `secrets` and `uses` give it fetch, secrets.get(name) and tools.call(name, args).",
    "Give an `inputSchema`, so that callers know the parameters; `examples` are run first, and a wrong one refuses the tool.",
    'Example: {"tool":{"name":"text.uppercase","description":"Makes text upper case","inputSchema":{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]},"code":"return { text: args.text.toUpperCase() };","examples":[{"args":{"text":"hi"},"result":{"text":"HI"}}]}}',
  ].join(" "),
  permission: "author",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  input: (z) => z.strictObject({ tool: toolDraft(z), dryRun: dryRun(z) }),
  output: toolResult,

  // Models often leave the wrapper out.
  accept(args) {
    if (Object.hasOwn(args, "tool") || !Object.hasOwn(args, "code")) return args;
    const { dryRun: dry, ...tool } = args;
    return dry === undefined ? { tool } : { tool, dryRun: dry };
  },

  async handle({ tools, listedName }, args, ctx) {
    const accepted = await tools.create(args.tool, actorOf(ctx), { dryRun: args.dryRun });
    const { tool, examples } = accepted;
    if (!accepted.isWritten) {
      const text = `${tool.name} would be accepted.${examplesText(examples.length)} ${engineText(tool)} Nothing was kept: this was a dry run.`; // prettier-ignore
      return structured(text, acceptedContent(accepted));
    }
    const how = howToCall(listedName(tool.name), sampleArguments(tool, examples[0]?.args));
    // Where plain code runs is nothing that anybody has to know.
    const where = tool.engine.engine === "quickjs" ? "" : ` ${engineText(tool)}`;
    const next = tool.enabled ? how.text : "It is disabled: enable it with dynamic_tool_enable.";
    return structured(
      `Created dynamic tool: ${tool.name} (revision ${tool.revision}).${examplesText(examples.length)}${where} ${next}`,
      {
        ...acceptedContent(accepted),
        ...(tool.enabled && { call: how.content }),
      },
    );
  },
});
