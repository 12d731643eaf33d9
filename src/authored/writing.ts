import { isDeepStrictEqual } from "node:util";
import { DynamicMcpError, hasCode } from "../core/errors.ts";
import { assertToolName, wireName } from "../core/names.ts";
import type { ItemStore, StoredItem } from "../store/store.ts";
import { bodyOf, checkSchemas, runExamples } from "./accept.ts";
import type { Accepted, Actor, AuthoredTools, ExampleRun } from "./authored.ts";
import { readBody, writeBody, writeSummary, type ToolBody } from "./body.ts";
import { patched, type ToolDraft } from "./definition.ts";
import { assertExpected, sharedPlace, type Lookup } from "./lookup.ts";
import { bundleOf, prepare, type Prepared } from "./prepare.ts";
import { type Programs, programOf } from "./programs.ts";
import { assertNotReserved } from "./reserved-names.ts";
import type { AuthoredServices } from "./services.ts";
import type { Snapshot } from "./snapshot.ts";
import { viewOfBody, viewOfHead } from "./view.ts";

type Writing = Pick<AuthoredTools, "create" | "update" | "enable" | "remove" | "rollback">;

/** Times that a write without `expectedRevision` is decided anew on top of somebody else's before we give up. */
const MAX_TRIES = 8;

/** What decides what runs, and where: while none of it changes, nothing is compiled, found, chosen or installed anew. */
const PROGRAM_FIELDS = ["code", "language", "timeoutMs", "dependencies", "image", "network", "secrets", "uses"] as const; // prettier-ignore

/** What decides how a run ends; where only other fields change, the examples need not run again. */
const RUN_FIELDS = [...PROGRAM_FIELDS, "inputSchema", "outputSchema", "examples"] as const;

/** What to write, or that nothing has to be. */
type Decision =
  | { write: Parameters<ItemStore["update"]>[1]; body: ToolBody; how: string; examples?: ExampleRun[] }
  | { write: undefined; body: ToolBody; enabled?: boolean; examples?: ExampleRun[] };

/** The revision that a change builds on. */
interface Before {
  draft: ToolDraft;
  body: ToolBody;
  /** Its packages stay, because nobody named them anew. */
  keepsPackages: boolean;
  /** Also where nothing that they show has changed. */
  alwaysRunsExamples?: boolean;
}

export function createWriting(
  services: AuthoredServices,
  snapshot: Snapshot,
  lookup: Lookup,
  programs: Programs,
): Writing {
  const { store, settings } = services;
  const now = () => new Date(services.now()).toISOString();

  function assertWritable(): void {
    if (!settings.isReadOnly) return;
    throw new DynamicMcpError("READ_ONLY", "this server is read-only (MCP_DYNAMIC_READ_ONLY): tools cannot be changed");
  }

  function assertFree(name: string): void {
    const key = wireName(name);
    const other = snapshot.byKey(key)?.name;
    const who = other === undefined ? services.takenBy?.(key) : `the tool ${other}`;
    if (who === undefined) return;
    const same = other !== undefined && other !== name ? ` (clients see both as ${key})` : "";
    const hint = other === undefined ? "choose another name" : "update it, or choose another name";
    const data = { name: other ?? key };
    throw new DynamicMcpError("NAME_TAKEN", `${name} is taken by ${who}${same}; ${hint}`, { data });
  }

  /**
   * What every new body has to pass.
   *
   * @param before the revision that it follows, in whose engine and packages it stays when nothing that runs changed:
   *   whether they are still there is for its next call to find out
   */
  async function accept(draft: ToolDraft, by: Actor, before?: Before) {
    await checkSchemas(services, draft);
    const { lock } = before?.body ?? {};
    const keepsLock = before?.keepsPackages === true && lock !== undefined;
    const prepared =
      before?.keepsPackages === true && isSame(draft, before.draft, PROGRAM_FIELDS)
        ? preparedBefore(draft.name, before.body)
        : await prepare(services, draft, by, keepsLock ? { lock } : {});
    const runsAsBefore = before !== undefined && isSame(draft, before.draft, RUN_FIELDS);
    const hasSamePackages = isDeepStrictEqual(prepared.runnable.lock, lock);
    const needNoExamples = runsAsBefore && hasSamePackages && before.alwaysRunsExamples !== true;
    const examples = needNoExamples ? [] : await runExamples(services, draft, prepared.runnable, by);
    by.deadline.throwIfEnded();
    return { body: bodyOf(draft, prepared), examples };
  }

  /** As a revision was prepared once. */
  function preparedBefore(name: string, body: ToolBody): Prepared {
    const { runnable } = programOf(name, body, settings);
    return { runnable, choice: body.engine, ...(body.js !== undefined && { js: body.js }) };
  }

  /**
   * A revision that comes back keeps its packages, and the engine is chosen anew: which there are may have changed since.
   * While the registry is away it comes back exactly as it was, and the first call that finds the registry installs the
   * packages: what worked once must not be out of reach because of somebody else's outage.
   */
  async function prepareAgain(draft: ToolDraft, older: ToolBody, by: Actor): Promise<Prepared> {
    const { lock, bundle } = older;
    const kept = { ...(lock && { lock }), ...(bundle !== undefined && { bundle: bundleOf(bundle) }) };
    try {
      return await prepare(services, draft, by, kept);
    } catch (error) {
      if (lock === undefined || !hasCode(error, "REGISTRY_UNAVAILABLE")) throw error;
      return preparedBefore(draft.name, older);
    }
  }

  /**
   * Reads, decides, and writes if nobody wrote in between. When somebody did, and the caller expected no certain
   * revision, decides anew on top of it: no change of the other is lost.
   */
  async function change(
    name: string,
    expected: number | undefined,
    by: Actor,
    decide: (item: StoredItem) => Promise<Decision>,
  ): Promise<Accepted> {
    for (let attempt = 1; ; attempt++) {
      const item = await lookup.item(name);
      assertExpected(item, expected);
      const decision = await decide(item);
      const { body, examples = [] } = decision;
      if (!decision.write) {
        const tool = viewOfBody({ ...item, isEnabled: decision.enabled ?? item.isEnabled }, body);
        return { tool, isWritten: false, examples };
      }
      try {
        const by_ = { author: by.principal, at: now(), change: decision.how };
        const written = await store.items.update(item.id, decision.write, by_, item.revision);
        snapshot.put(written);
        programs.put(written, body);
        return { tool: viewOfBody(written, body), isWritten: true, examples };
      } catch (error) {
        const isFinal = expected !== undefined || attempt === MAX_TRIES || !hasCode(error, "REVISION_CONFLICT");
        if (isFinal) throw inNames(error, item.name);
      }
    }
  }

  return {
    async create(draft, by, { dryRun = false, change: how = "create" } = {}) {
      if (!dryRun) assertWritable();
      assertToolName(draft.name);
      assertNotReserved(draft.name);
      assertFree(draft.name);
      const { body, examples } = await accept(draft, by);
      const at = now();
      const place = sharedPlace(by.principal);
      const head = { kind: "tool", name: draft.name, key: wireName(draft.name), isEnabled: draft.enabled, ...place } as const; // prettier-ignore
      if (dryRun) {
        const tool = viewOfBody({ ...head, id: "", revision: 0, createdAt: at, updatedAt: at }, body);
        return { tool, isWritten: false, examples };
      }
      const write = { author: by.principal, at, change: how };
      const kept = { ...head, summary: writeSummary(body), body: writeBody(body) };
      const item = await store.items.create(kept, write, settings.maxTools);
      snapshot.put(item);
      programs.put(item, body);
      return { tool: viewOfBody(item, body), isWritten: true, examples };
    },

    async update(name, patch, by, { expectedRevision, dryRun = false } = {}) {
      if (!dryRun) assertWritable();
      return change(name, expectedRevision, by, async (item) => {
        const before = draftOf(item);
        const draft = patched(before, patch);
        const keepsPackages = patch.dependencies === undefined;
        const kept = { draft: before, body: readBody(item.name, item.body), keepsPackages, alwaysRunsExamples: dryRun };
        const { body, examples } = await accept(draft, by, kept);
        const json = writeBody(body);
        const { enabled } = draft;
        if (dryRun || (enabled === item.isEnabled && isDeepStrictEqual(json, item.body))) {
          return { write: undefined, body, enabled, examples };
        }
        const write = { isEnabled: enabled, summary: writeSummary(body), body: json };
        return { write, body, how: "update", examples };
      });
    },

    async enable(name, isEnabled, by, expectedRevision) {
      assertWritable();
      return change(name, expectedRevision, by, async (item) => {
        const body = readBody(item.name, item.body);
        if (item.isEnabled === isEnabled) return { write: undefined, body };
        return { write: { isEnabled }, body, how: isEnabled ? "enable" : "disable" };
      });
    },

    async remove(name, by, expectedRevision) {
      assertWritable();
      const head = await lookup.head(name);
      const write = { author: by.principal, at: now(), change: "delete" };
      const removed = await store.items.remove(head.id, write, expectedRevision).catch((error: unknown) => {
        throw inNames(error, head.name);
      });
      snapshot.drop(head.id);
      return viewOfHead(removed);
    },

    async rollback(name, to, by, expectedRevision) {
      assertWritable();
      return change(name, expectedRevision, by, async (item) => {
        const older = readBody(item.name, (await lookup.revision(item, to)).body);
        const draft = draftOf({ ...item, body: writeBody(older) });
        const body = bodyOf(draft, await prepareAgain(draft, older, by));
        const json = writeBody(body);
        if (isDeepStrictEqual(json, item.body)) return { write: undefined, body };
        return { write: { summary: writeSummary(body), body: json }, body, how: `rollback to ${to}` };
      });
    },
  };
}

const isSame = (one: ToolDraft, other: ToolDraft, fields: readonly (keyof ToolDraft)[]) =>
  fields.every((field) => isDeepStrictEqual(one[field], other[field]));

/** The store knows ids, people know names: somebody deleted the tool between our look and our write. */
function inNames(error: unknown, name: string): unknown {
  if (!hasCode(error, "TOOL_NOT_FOUND")) return error;
  return new DynamicMcpError("TOOL_NOT_FOUND", `${name} was deleted in the meantime; nothing was changed`, {
    data: { name },
    cause: error,
  });
}

/** What the author wrote, out of what is stored. */
function draftOf(item: Pick<StoredItem, "name" | "isEnabled" | "body">): ToolDraft {
  const { engine: _engine, js: _js, lock: _lock, bundle: _bundle, ...fields } = readBody(item.name, item.body);
  return { name: item.name, enabled: item.isEnabled, network: [], secrets: [], uses: [], ...fields };
}
