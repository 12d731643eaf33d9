import type { JsonObject } from "../core/json.ts";
import { wireName } from "../core/names.ts";
import type { PackageLock } from "../machine/packages/packages.ts";
import type { ItemHead } from "../store/store.ts";
import type { ToolView } from "./authored.ts";
import { readSummary, type ToolBody } from "./body.ts";

/** What a list shows of a tool. */
export function viewOfHead(head: ItemHead): ToolView {
  const { title, description, image, timeoutMs, dependencies, language, engine, annotations, codeSizeBytes } =
    readSummary(head.summary);
  return {
    name: head.name,
    wireName: wireName(head.name),
    ...(title !== undefined && { title }),
    description,
    image,
    timeoutMs,
    dependencies,
    language,
    enabled: head.isEnabled,
    revision: head.revision,
    createdAt: head.createdAt,
    updatedAt: head.updatedAt,
    codeSizeBytes,
    engine,
    ...(annotations && { annotations: { ...annotations } }),
    ...(head.quarantine !== undefined && { quarantine: head.quarantine }),
  };
}

/** What comes back from a write: everything but the code and the examples. */
export function viewOfBody(head: Omit<ItemHead, "summary">, body: ToolBody): ToolView {
  const { title, annotations, inputSchema, outputSchema, lock, network, secrets, uses } = body;
  return {
    name: head.name,
    wireName: wireName(head.name),
    ...(title !== undefined && { title }),
    description: body.description,
    image: body.image,
    timeoutMs: body.timeoutMs,
    dependencies: body.dependencies,
    ...(lock && packagesOf(lock)),
    ...(network && { network }),
    ...(secrets && { secrets }),
    ...(uses && { uses }),
    language: body.language,
    enabled: head.isEnabled,
    revision: head.revision,
    createdAt: head.createdAt,
    updatedAt: head.updatedAt,
    codeSizeBytes: Buffer.byteLength(body.code),
    engine: body.engine,
    ...(annotations && { annotations: { ...annotations } }),
    ...(inputSchema && { inputSchema }),
    ...(outputSchema && { outputSchema }),
    ...(head.quarantine !== undefined && { quarantine: head.quarantine }),
  };
}

/** All of it. */
export function viewWithCode(head: Omit<ItemHead, "summary">, body: ToolBody): ToolView {
  const examples = body.examples.map((example): JsonObject => ({ ...example }));
  return { ...viewOfBody(head, body), ...(examples.length > 0 && { examples }), code: body.code };
}

/** What is installed for a tool, and what its author should know about it. */
function packagesOf(lock: PackageLock): Pick<ToolView, "packages" | "warnings"> {
  const unrun = lock.packages.filter(({ hasScripts }) => hasScripts).map(({ name }) => name);
  const scripts = unrun.length === 0 ? [] : [`install scripts are never run: ${unrun.join(", ")}`];
  const warnings = [...(lock.warnings ?? []), ...scripts];
  return {
    packages: lock.packages.map(({ name, version }) => `${name}@${version}`),
    ...(warnings.length > 0 && { warnings }),
  };
}
