import { isJsonObject, type JsonObject } from "../core/json.ts";
import { operation } from "./operation.ts";
import { withObject } from "./shapes.ts";

export const toolCall = operation({
  name: "tool_call",
  toolset: "calling",
  title: "Call a tool by name",
  description:
    'Calls any tool of this server by its name, also one that is not in your list (yet), such as a tool made a moment ago. Example: {"name":"text_uppercase","arguments":{"text":"hi"}}',
  permission: "use",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  accept: (args) => withObject(args, "arguments"),
  input: (z) =>
    z.strictObject({
      name: z.string().min(1).describe("Name of the tool, in either spelling"),
      arguments: z
        .custom<JsonObject>(isJsonObject, "must be an object")
        .meta({ type: "object", description: "Arguments of that tool" })
        .default({}),
    }),
  handle: (_services, args, ctx) => ctx.callTool(args.name, args.arguments, { isHandedOn: true }),
});
