import { createHash } from "node:crypto";
import { DynamicMcpError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { StoredItem } from "../store/store.ts";
import { readBody, type ToolBody } from "./body.ts";
import { imageOf } from "./definition.ts";
import { bundleOf } from "./prepare.ts";
import type { AuthoredServices, AuthoredSettings, Runnable } from "./services.ts";

/** A kept tool, ready to run. */
export interface Program {
  runnable: Runnable;
  inputSchema: JsonObject | undefined;
  outputSchema: JsonObject | undefined;
}

export interface Programs {
  /**
   * The tool as it was at this revision, so that a call runs what it resolved, whoever writes meanwhile.
   *
   * @throws TOOL_NOT_FOUND when it was deleted, STORE_DAMAGED
   */
  get(tool: { id: string; name: string; revision: number }): Promise<Program>;
  /** Spares the reading of what was just written. */
  put(item: Pick<StoredItem, "id" | "name" | "revision">, body: ToolBody): void;
}

const MAX_PROGRAMS = 256;
/** Of code and schemas together, roughly. */
const MAX_CHARS = 8_000_000;

/** Programs in memory, the least recently used let go first. */
export function createPrograms({ store, settings }: Pick<AuthoredServices, "store" | "settings">): Programs {
  const kept = new Map<string, { program: Program; chars: number }>();
  let chars = 0;

  function keep(key: string, program: Program): void {
    forget(key);
    const { program: code, bundle, lock } = program.runnable;
    const size =
      code.js.length +
      (bundle?.js.length ?? 0) +
      200 * (lock?.packages.length ?? 0) +
      JSON.stringify([program.inputSchema, program.outputSchema]).length;
    kept.set(key, { program, chars: size });
    chars += size;
    for (const oldest of kept.keys()) {
      if (kept.size <= MAX_PROGRAMS && chars <= MAX_CHARS) break;
      forget(oldest);
    }
  }

  function forget(key: string): void {
    chars -= kept.get(key)?.chars ?? 0;
    kept.delete(key);
  }

  return {
    async get({ id, name, revision }) {
      const key = `${id}@${revision}`;
      const known = kept.get(key);
      if (known) {
        kept.delete(key);
        kept.set(key, known);
        return known.program;
      }
      const program = programOf(name, await bodyAt(store, { id, name, revision }), settings);
      keep(key, program);
      return program;
    },
    put: (item, body) => keep(`${item.id}@${item.revision}`, programOf(item.name, body, settings)),
  };
}

async function bodyAt(
  store: AuthoredServices["store"],
  { id, name, revision }: { id: string; name: string; revision: number },
): Promise<ToolBody> {
  const item = await store.items.get(id);
  if (!item) throw new DynamicMcpError("TOOL_NOT_FOUND", `${name} was deleted a moment ago`);
  if (item.quarantine !== undefined) {
    throw new DynamicMcpError("STORE_DAMAGED", `${name} is quarantined: ${item.quarantine}; roll back or delete it`);
  }
  if (item.revision === revision) return readBody(name, item.body);
  const older = await store.items.revision(id, revision);
  if (!older) throw new DynamicMcpError("REVISION_NOT_FOUND", `${name} has no revision ${revision}`);
  return readBody(name, older.body);
}

/** Nothing is compiled again: what was accepted is what runs. */
export function programOf(name: string, body: ToolBody, settings: Pick<AuthoredSettings, "defaultImage">): Program {
  const js = body.js ?? body.code;
  const digest = createHash("sha256").update(js).digest("hex");
  return {
    runnable: {
      name,
      program: { js, digest, name },
      engine: body.engine.engine,
      timeoutMs: body.timeoutMs,
      image: imageOf(body.image, settings.defaultImage),
      ...(body.lock && { lock: body.lock }),
      ...(body.bundle !== undefined && { bundle: bundleOf(body.bundle) }),
      network: body.network ?? [],
      secrets: body.secrets ?? [],
      uses: body.uses ?? [],
    },
    inputSchema: body.inputSchema,
    outputSchema: body.outputSchema,
  };
}
