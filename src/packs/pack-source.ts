import { DynamicMcpError } from "../core/errors.ts";
import type { AnyResult, CompletionResult, ItemKind, PromptArgument } from "../core/item.ts";
import { assertToolName } from "../core/names.ts";
import { Paused } from "../core/pause.ts";
import { failedResult } from "../core/results.ts";
import type { Listing, Logger, RunContext, Source, Target } from "../core/source.ts";
import { definePack, type Pack, type PackHost, type PackPrompt, type PackResource, type PackTemplate, type PackTool } from "./pack.ts"; // prettier-ignore
import { toPromptResult, toResourceResult, toToolResult } from "./pack-results.ts";
import { Shelf } from "./shelf.ts";

/** A pack as a {@link Source}. Open it before it is asked for items. */
export interface PackSource extends Source {
  /** @throws PACK_FAILED with what the pack's `open` threw */
  open(): Promise<void>;
  /** Safe to call twice; also when it was never opened. */
  close(): Promise<void>;
}

/** Most values that a completion may give (server/utilities/completion). */
const MAX_VALUES = 100;
/** How long the end of the program waits for the end of a pack. */
const CLOSE_MS = 5_000;

/** @throws PACK_FAILED for a name that cannot be, or is there twice */
export function createPackSource(
  pack: Pack,
  { log, closeMs = CLOSE_MS }: { log: Logger; closeMs?: number },
): PackSource {
  definePack(pack);
  const onChange = new Set<(kind: ItemKind) => void>();
  const onUpdated = new Set<(uri: string) => void>();
  const changed = (kind: ItemKind) => {
    for (const listener of onChange) listener(kind);
  };
  const shelves = {
    tool: new Shelf("tool", toolItem, changed),
    prompt: new Shelf("prompt", promptItem, changed),
    resource: new Shelf("resource", resourceItem, changed),
    template: new Shelf("template", templateItem, changed),
  };
  for (const tool of pack.tools ?? []) shelves.tool.add(tool);
  for (const prompt of pack.prompts ?? []) shelves.prompt.add(prompt);
  for (const resource of pack.resources ?? []) shelves.resource.add(resource);
  for (const template of pack.templates ?? []) shelves.template.add(template);
  let isOpen = false;

  const host: PackHost = {
    log,
    addTool: (tool) => shelves.tool.add(tool),
    addPrompt: (prompt) => shelves.prompt.add(prompt),
    addResource: (resource) => shelves.resource.add(resource),
    addTemplate: (template) => shelves.template.add(template),
    resourceUpdated(uri) {
      for (const listener of onUpdated) listener(uri);
    },
  };

  async function run(target: Target, ctx: RunContext): Promise<AnyResult> {
    switch (target.kind) {
      case "tool": {
        const tool = shelves.tool.get(target.item.id) ?? gone("TOOL_NOT_FOUND", target.item.name);
        return runTool(tool, target.args, ctx);
      }
      case "prompt": {
        const prompt = shelves.prompt.get(target.id) ?? gone("PROMPT_NOT_FOUND", target.id);
        assertArguments(prompt.name, prompt.arguments ?? [], target.args);
        return toPromptResult(await prompt.run(target.args, ctx));
      }
      case "resource": {
        const resource = shelves.resource.get(target.id) ?? gone("RESOURCE_NOT_FOUND", target.uri);
        return toResourceResult(await resource.read(ctx), target.uri, resource.mimeType);
      }
      case "template": {
        const template = shelves.template.get(target.id) ?? gone("RESOURCE_NOT_FOUND", target.uri);
        return toResourceResult(await template.read(target.uri, target.variables, ctx), target.uri, template.mimeType);
      }
      case "completion":
        return complete(target);
    }
  }

  async function runTool(tool: PackTool, args: Parameters<PackTool["run"]>[0], ctx: RunContext) {
    try {
      return toToolResult(await tool.run(args, ctx), tool.name);
    } catch (error) {
      if (error instanceof Paused || error instanceof DynamicMcpError) throw error;
      log.debug({ err: error, tool: tool.name, pack: pack.name }, "a tool of a pack threw");
      const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      return failedResult("CODE_THREW", text);
    }
  }

  async function complete({
    id,
    argument,
    context,
  }: Extract<Target, { kind: "completion" }>): Promise<CompletionResult> {
    const found = shelves.prompt.get(id) ?? shelves.template.get(id);
    const all = (await found?.complete?.(argument, context)) ?? [];
    const hasMore = all.length > MAX_VALUES;
    return { completion: { values: all.slice(0, MAX_VALUES), total: all.length, hasMore } };
  }

  return {
    name: `pack:${pack.name}`,
    items: <K extends ItemKind>(kind: K) => shelves[kind].listings as unknown as readonly Listing<K>[],
    run,
    onChange(listener) {
      onChange.add(listener);
      return () => void onChange.delete(listener);
    },
    onResourceUpdated(listener) {
      onUpdated.add(listener);
      return () => void onUpdated.delete(listener);
    },
    async open() {
      try {
        await pack.open?.(host);
        isOpen = true;
      } catch (cause) {
        throw new DynamicMcpError("PACK_FAILED", `the pack ${pack.name} could not be opened: ${textOf(cause)}`, {
          cause,
        });
      }
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((done) => {
        timer = setTimeout(() => {
          log.warn({ pack: pack.name, closeMs }, "a pack has not closed in time; it is left as it is");
          done();
        }, closeMs);
      });
      try {
        await Promise.race([pack.close?.(), late]);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** MCP wants this for a tool without arguments (server/tools, 2025-11-25). */
const NO_ARGUMENTS = { type: "object", additionalProperties: false };

function toolItem(tool: PackTool) {
  const { name, title, description, meta, inputSchema = NO_ARGUMENTS, outputSchema, annotations, permission } = tool;
  try {
    assertToolName(name);
  } catch (cause) {
    throw new DynamicMcpError("PACK_FAILED", textOf(cause), { cause });
  }
  return { kind: "tool" as const, id: name, name, revision: 1, title, description, meta, inputSchema, outputSchema, annotations, permission }; // prettier-ignore
}

function promptItem({ name, title, description, meta, arguments: args }: PackPrompt) {
  return { kind: "prompt" as const, id: name, name, title, description, meta, arguments: args };
}

function resourceItem({ uri, name, title, description, meta, mimeType }: PackResource) {
  return { kind: "resource" as const, id: uri, name, uri, title, description, meta, mimeType };
}

function templateItem({ uriTemplate, name, title, description, meta, mimeType }: PackTemplate) {
  return { kind: "template" as const, id: uriTemplate, name, uriTemplate, title, description, meta, mimeType };
}

function assertArguments(name: string, declared: readonly PromptArgument[], given: Record<string, string>): void {
  const missing = declared.filter((each) => each.required && !Object.hasOwn(given, each.name)).map((each) => each.name);
  if (missing.length === 0) return;
  throw new DynamicMcpError("INVALID_ARGUMENTS", `the prompt ${name} needs ${missing.join(", ")}`, {
    data: { missing },
  });
}

function gone(code: "TOOL_NOT_FOUND" | "PROMPT_NOT_FOUND" | "RESOURCE_NOT_FOUND", name: string): never {
  throw new DynamicMcpError(code, `${name} has just been taken away`, { data: { name } });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
