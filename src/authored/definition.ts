import type { output } from "zod";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { LIMITS } from "../core/limits.ts";
import { TOOL_NAME, TOOL_NAME_RULE } from "../core/names.ts";
import { once } from "../core/once.ts";
import type * as Zod from "../core/zod.ts";
import { isHostPattern } from "../machine/net/hosts.ts";

type Z = typeof Zod;

/**
 * Stands for "no image of its own": the operator's default is used. An image is a preference of plain code, which runs
 * wherever it can.
 */
const DEFAULT_IMAGE = "node:lts-slim";

/** The image that is really meant. */
export function imageOf(image: string | undefined, defaultImage: string): string {
  return image === undefined || image === DEFAULT_IMAGE ? defaultImage : image;
}

const IMAGE = /^[a-zA-Z0-9][a-zA-Z0-9_.:/@-]*$/;
const SECRET_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const PACKAGE_NAME = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

/** An object of other people's making: kept as it is, never merged into ours. */
const jsonObject = (z: Z, description: string) =>
  z.custom<JsonObject>(isJsonObject, "must be an object").meta({ type: "object", description });

const json = (z: Z, description: string) => z.custom<Json>((value) => value !== undefined).meta({ description });

const fields = once((z: Z) => ({
  title: z.string().min(1).max(LIMITS.titleChars).describe("Name for people"),
  description: z
    .string()
    .min(1)
    .max(LIMITS.descriptionChars)
    .describe("What the tool does and when to use it; models choose by it"),
  image: z
    .string()
    .min(1)
    .max(LIMITS.imageChars)
    .regex(IMAGE, "must be the name of a container image")
    .describe("Container image, for code that needs one; other code runs in the built-in sandbox"),
  timeoutMs: z.int().min(LIMITS.timeoutMs.min).max(LIMITS.timeoutMs.max).describe("Time limit of one call, in ms"),
  dependencies: z
    .array(
      z.strictObject({
        name: z.string().max(214).regex(PACKAGE_NAME, "must be the name of an npm package"),
        version: z.string().min(1).max(LIMITS.versionChars),
      }),
    )
    .max(LIMITS.dependencies)
    .describe("npm packages that the code imports"),
  network: z
    .array(
      z
        .string()
        .min(1)
        .max(LIMITS.hostChars)
        .refine(isHostPattern, "must be a host such as api.example.com or *.example.com, or one with a :port"),
    )
    .max(LIMITS.hosts)
    .describe("Hosts that the code may reach with `fetch`, such as api.example.com, within what the operator allows"),
  secrets: z
    .array(z.string().regex(SECRET_NAME, "must be the name of a secret"))
    .max(LIMITS.secrets)
    .describe("Names of secrets that the code may read with `await secrets.get(name)`, as the operator allows"),
  uses: z
    .array(z.string().min(1).max(LIMITS.usesChars))
    .max(LIMITS.uses)
    .describe("Tools that the code may call with `await tools.call(name, args)`; `*` stands for any characters"),
  code: z
    .string()
    .min(1)
    .max(LIMITS.codeChars)
    .describe("Body of `async function run(args)`: read `args`, `return` a JSON value, `throw` to fail"),
  language: z.enum(["js", "ts"]).describe("TypeScript is stripped of its types, not checked"),
  enabled: z.boolean().describe("false: kept, but not listed and not callable"),
  inputSchema: jsonObject(z, "JSON Schema 2020-12 of `args`, type object; left out: any object"),
  outputSchema: jsonObject(z, "JSON Schema 2020-12 of what the code returns"),
  annotations: z
    .strictObject({
      title: z.string().max(LIMITS.titleChars).exactOptional(),
      readOnlyHint: z.boolean().exactOptional(),
      destructiveHint: z.boolean().exactOptional(),
      idempotentHint: z.boolean().exactOptional(),
      openWorldHint: z.boolean().exactOptional(),
    })
    .describe("Hints for clients, as in the MCP specification"),
  examples: z
    .array(
      z.strictObject({
        args: jsonObject(z, "Arguments to run with"),
        result: json(z, "What must be returned, compared deeply").exactOptional(),
      }),
    )
    .max(LIMITS.examples)
    .describe("Run before the tool is accepted: `[{ args, result? }]`"),
}));

/** A tool as an author writes it (a function of zod, as all schemas here). Whether the name may be used, the schemas hold and the code compiles comes later. */
export const toolDraft = once((z: Z) => {
  const field = fields(z);
  return z.strictObject({
    // Checked in words of its own (INVALID_NAME); the pattern is for the schema that clients see.
    name: z.string().meta({
      description: `${TOOL_NAME_RULE}; listed with underscores for dots`,
      pattern: TOOL_NAME.source,
    }),
    title: field.title.exactOptional(),
    description: field.description,
    image: field.image.default(DEFAULT_IMAGE),
    timeoutMs: field.timeoutMs.default(LIMITS.timeoutMs.default),
    dependencies: field.dependencies.default([]),
    network: field.network.default([]),
    secrets: field.secrets.default([]),
    uses: field.uses.default([]),
    code: field.code,
    language: field.language.default("js"),
    enabled: field.enabled.default(true),
    inputSchema: field.inputSchema.exactOptional(),
    outputSchema: field.outputSchema.exactOptional(),
    annotations: field.annotations.exactOptional(),
    examples: field.examples.default([]),
  });
});

/** Fields to change; null clears what can be left out of a draft, back to its default. */
export const toolPatch = once((z: Z) => {
  const field = fields(z);
  return z.strictObject({
    title: field.title.nullable().exactOptional(),
    description: field.description.exactOptional(),
    image: field.image.nullable().exactOptional(),
    timeoutMs: field.timeoutMs.nullable().exactOptional(),
    dependencies: field.dependencies.nullable().exactOptional(),
    network: field.network.nullable().exactOptional(),
    secrets: field.secrets.nullable().exactOptional(),
    uses: field.uses.nullable().exactOptional(),
    code: field.code.exactOptional(),
    language: field.language.exactOptional(),
    enabled: field.enabled.exactOptional(),
    inputSchema: field.inputSchema.nullable().exactOptional(),
    outputSchema: field.outputSchema.nullable().exactOptional(),
    annotations: field.annotations.nullable().exactOptional(),
    examples: field.examples.nullable().exactOptional(),
  });
});

/** One run of code that is not kept. */
export const runOnceDraft = once((z: Z) => {
  const field = fields(z);
  return z.strictObject({
    code: field.code,
    args: jsonObject(z, "What the code sees as `args`").default({}),
    language: field.language.default("js"),
    timeoutMs: field.timeoutMs.default(LIMITS.timeoutMs.default),
    image: field.image.exactOptional(),
    dependencies: field.dependencies.default([]),
    network: field.network.default([]),
    secrets: field.secrets.default([]),
    uses: field.uses.default([]),
  });
});

export type ToolDraft = output<ReturnType<typeof toolDraft>>;
export type ToolPatch = output<ReturnType<typeof toolPatch>>;
export type RunOnceDraft = output<ReturnType<typeof runOnceDraft>>;
export type ToolExample = ToolDraft["examples"][number];

/** @returns the draft with the patch's fields; the name never changes */
export function patched(draft: ToolDraft, patch: ToolPatch): ToolDraft {
  const defaults: Partial<ToolDraft> = {
    image: DEFAULT_IMAGE,
    timeoutMs: LIMITS.timeoutMs.default,
    dependencies: [],
    network: [],
    secrets: [],
    uses: [],
    examples: [],
  };
  const next: Record<string, unknown> = { ...draft };
  for (const [key, value] of Object.entries(patch)) {
    const cleared = (defaults as Record<string, unknown>)[key];
    if (value !== null) next[key] = value;
    else if (cleared === undefined) delete next[key];
    else next[key] = cleared;
  }
  return next as ToolDraft;
}
