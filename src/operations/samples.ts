import { DynamicMcpError } from "../core/errors.ts";
import { structured } from "../core/results.ts";
import { operation } from "./operation.ts";

const HARMLESS = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

/** The two small tools of the older enterprise profile: good for trying a connection out. */
export const devEcho = operation({
  name: "dev.echo",
  toolset: "samples",
  title: "Echo",
  description: 'Gives a message back. Example: {"message":"hi","uppercase":true}',
  permission: "use",
  annotations: HARMLESS,
  input: (z) =>
    z.strictObject({
      message: z.string().min(1).describe("What to give back"),
      uppercase: z.boolean().default(false).describe("true: in capitals"),
    }),
  output: (z) => z.object({ message: z.string(), length: z.int() }),

  async handle(_services, args) {
    const message = args.uppercase ? args.message.toUpperCase() : args.message;
    return structured(message, { message, length: message.length });
  },
});

export const timeNow = operation({
  name: "time.now",
  toolset: "samples",
  title: "Current time",
  description: 'Tells the time, in UTC and in a time zone. Example: {"timeZone":"Europe/Berlin"}',
  permission: "use",
  annotations: { ...HARMLESS, idempotentHint: false },
  input: (z) =>
    z.strictObject({
      timeZone: z.string().min(1).max(100).default("UTC").describe("IANA name, such as Europe/Berlin"),
    }),
  output: (z) =>
    z.object({
      iso: z.string().describe("In UTC"),
      unixSeconds: z.int(),
      timeZone: z.string(),
      local: z.string().describe("In the time zone"),
    }),

  async handle({ now }, { timeZone }) {
    const at = new Date(now());
    const iso = at.toISOString();
    const local = localTime(at, timeZone);
    return structured(`${local} (${timeZone})`, { iso, unixSeconds: Math.floor(at.getTime() / 1000), timeZone, local });
  },
});

/** `2026-01-31 18:05:09` @throws INVALID_ARGUMENTS for a time zone that does not exist */
function localTime(at: Date, timeZone: string): string {
  try {
    return at.toLocaleString("sv-SE", { timeZone });
  } catch (cause) {
    const why = `there is no time zone ${JSON.stringify(timeZone)}: use an IANA name such as Europe/Berlin`;
    throw new DynamicMcpError("INVALID_ARGUMENTS", why, { cause });
  }
}
