import { runOnceDraft } from "../authored/definition.ts";
import { actorOf } from "../authored/authored.ts";
import { operation } from "./operation.ts";

export const runJsEphemeral = operation({
  name: "run_js_ephemeral",
  toolset: "authoring",
  title: "Run code once",
  description:
    'Runs JavaScript or TypeScript once in a sandbox, without keeping it: for calculations and for trying code out before dynamic_tool_create. `code` is the body of `async function run(args)`; npm packages go into `dependencies` and are loaded with `await import(name)`. Example: {"code":"return args.values.reduce((sum, each) => sum + each, 0)","args":{"values":[1,2,3]}}',
  permission: "author",
  // It may fetch and call tools: what that does is not known before.
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: runOnceDraft,
  handle: ({ runOnce }, draft, ctx) => runOnce(draft, actorOf(ctx)),
});
