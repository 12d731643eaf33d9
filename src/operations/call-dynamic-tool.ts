import { isJsonObject, type JsonObject } from "../core/json.ts";
import { openTool } from "./groups.ts";
import { operation } from "./operation.ts";
import { withObject } from "./shapes.ts";

export const callDynamicTool = operation({
  name: "call_dynamic_tool",
  toolset: "groups",
  title: "Call a tool of a group",
  description: "Calls a tool of a group, as get_dynamic_tools shows it.",
  permission: "use",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  accept: (args) => withObject(args, "args"),
  input: (z) =>
    z.strictObject({
      group: z.string().min(1).max(300),
      name: z.string().min(1).max(300).describe("Name of the tool within its group"),
      args: z
        .custom<JsonObject>(isJsonObject, "must be an object")
        .meta({ type: "object", description: "Arguments of that tool" })
        .default({}),
    }),

  async handle(services, { group, name, args }, ctx) {
    const named = await openTool(services, group, name, ctx);
    return ctx.callTool(named.name, args, { isHandedOn: true });
  },
});
