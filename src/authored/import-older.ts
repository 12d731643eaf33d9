import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type DynamicMcpError, hasCode } from "../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import { unfit, zodProblems } from "../core/problems.ts";
import type { Logger } from "../core/source.ts";
import type { ItemStore, StoredItem } from "../store/store.ts";
import type { Actor, AuthoredTools } from "./authored.ts";
import { toolDraft, type ToolDraft } from "./definition.ts";
import { sharedPlace } from "./lookup.ts";

export interface ImportServices {
  store: { items: Pick<ItemStore, "find" | "create" | "update"> };
  tools: Pick<AuthoredTools, "create">;
  log: Logger;
  /** ms since 1970 */
  now(): number;
}

export interface ImportReport {
  imported: string[];
  /** Records that could not be taken over, with the reason. They are tried again at the next start. */
  skipped: { name: string; reason: string }[];
}

/** What a record of an older file keeps; revisions and times are left behind. */
const FIELDS = ["name", "title", "description", "image", "timeoutMs", "dependencies", "code", "enabled"] as const;

/**
 * Takes the tools of an older `tools.json` (`{ version: 1, tools: [...] }`) over, each once: what somebody deletes here
 * does not come back at the next start. The file is only read. A bad record is reported and skipped; a file that is not
 * there or cannot be read imports nothing.
 *
 * @throws STORE_UNAVAILABLE, READ_ONLY and other refusals that are not about one record; the import goes on next time
 */
export async function importOlderTools(path: string, services: ImportServices, by: Actor): Promise<ImportReport> {
  const { store, tools, log } = services;
  const report: ImportReport = { imported: [], skipped: [] };
  const records = await readRecords(path, log);
  if (!records) return report;

  const key = createHash("sha256").update(path).digest("hex");
  const memory = await store.items.find("import", key, sharedPlace(""));
  const handled = new Set(handledOf(memory));
  const before = handled.size;
  try {
    for (const [index, record] of records.entries()) {
      const name = nameOf(record, index);
      if (handled.has(name)) continue;
      try {
        await tools.create(await draftOfRecord(record, name), by, { change: "import" });
        report.imported.push(name);
        handled.add(name);
      } catch (error) {
        if (!isAboutTheRecord(error)) throw error;
        // Somebody has this name here: theirs stays.
        if (error.code === "NAME_TAKEN") handled.add(name);
        report.skipped.push({ name, reason: `${error.code}: ${error.message}` });
      }
    }
  } finally {
    if (handled.size > before) await remember(services, by, { path, key, handled, memory });
  }
  tell(log, path, report);
  return report;
}

async function readRecords(path: string, log: Logger): Promise<Json[] | undefined> {
  try {
    const content: unknown = JSON.parse(await readFile(path, "utf8"));
    const tools = isJsonObject(content) ? content["tools"] : undefined;
    if (Array.isArray(tools)) return tools;
    log.warn({ path }, "this is not a tools.json of the older dynamic-mcp (it has no list `tools`): nothing imported");
  } catch (error) {
    if (isMissing(error)) log.info({ path }, "there is no tools.json to import");
    else log.warn({ path, err: error }, "the tools.json of the older dynamic-mcp cannot be read: nothing imported");
  }
  return undefined;
}

/** @throws INVALID_ARGUMENTS */
async function draftOfRecord(record: Json, name: string): Promise<ToolDraft> {
  const fields: JsonObject = {};
  if (isJsonObject(record)) {
    for (const field of FIELDS) {
      const value = record[field];
      if (value !== undefined && value !== null) fields[field] = value;
    }
  }
  const parsed = toolDraft(await import("../core/zod.ts")).safeParse(fields);
  if (parsed.success) return parsed.data;
  throw unfit(`the record ${name}`, zodProblems(parsed.error, fields));
}

function nameOf(record: Json, index: number): string {
  const name = isJsonObject(record) ? record["name"] : undefined;
  return typeof name === "string" ? name.slice(0, 100) : `(record ${index + 1})`;
}

const RECORD_CODES = [
  "INVALID_ARGUMENTS",
  "INVALID_NAME",
  "NAME_RESERVED",
  "NAME_TAKEN",
  "INVALID_CODE",
  "ENGINE_UNAVAILABLE",
  "TOOL_LIMIT",
] as const;

function isAboutTheRecord(error: unknown): error is DynamicMcpError {
  return hasCode(error, ...RECORD_CODES);
}

function handledOf(memory: StoredItem | undefined): string[] {
  const names = isJsonObject(memory?.body) ? memory.body["handled"] : undefined;
  return Array.isArray(names) ? names.filter((each) => typeof each === "string") : [];
}

async function remember(
  { store, now }: ImportServices,
  by: Actor,
  { path, key, handled, memory }: { path: string; key: string; handled: Set<string>; memory: StoredItem | undefined },
): Promise<void> {
  const body: JsonObject = { path, handled: [...handled] };
  const write = { author: by.principal, at: new Date(now()).toISOString(), change: "import" };
  const summary = JSON.stringify({ path });
  if (memory) await store.items.update(memory.id, { body, summary }, write);
  else {
    const draft = { kind: "import", name: key.slice(0, 16), key, isEnabled: true, summary, body } as const;
    try {
      await store.items.create({ ...draft, ...sharedPlace(by.principal) }, write);
    } catch (error) {
      // Another process imported the same file at the same time, and wrote the same.
      if (!hasCode(error, "NAME_TAKEN")) throw error;
    }
  }
}

function tell(log: Logger, path: string, { imported, skipped }: ImportReport): void {
  if (imported.length > 0) log.info({ path, imported }, `${imported.length} tools imported from the older tools.json`);
  for (const { name, reason } of skipped) log.warn({ path, tool: name, reason }, "a tool could not be imported");
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
