import { isJsonObject } from "../core/json.ts";
import { structured } from "../core/results.ts";
import { operation } from "./operation.ts";

export const systemHealth = operation({
  name: "system.health",
  toolset: "system",
  title: "Show the state of the server",
  description:
    "Shows version, uptime, the engines with what holds code in, the store, and how many tools there are. Takes no arguments.",
  permission: "use",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: (z) => z.strictObject({}),
  output: (z) =>
    z.looseObject({
      status: z.enum(["ok", "degraded"]),
      service: z.string(),
      version: z.string(),
      uptimeSeconds: z.number().min(0),
    }),

  async handle({ health }) {
    const report = await health();
    const lines = Object.entries(report).map(([key, value]) => {
      const text = isJsonObject(value) || Array.isArray(value) ? JSON.stringify(value) : String(value);
      return `${key}: ${text}`;
    });
    return structured(lines.join("\n"), report);
  },
});
