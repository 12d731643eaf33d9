import { createAccess, type Access } from "../access/access.ts";
import type { Settings } from "../config/schema.ts";
import type { Logger } from "../core/source.ts";
import type { EngineName, ExecutionEngine } from "../engines/engine.ts";
import { createQuickjsEngine } from "../engines/quickjs/quickjs-engine.ts";
import { createGuard } from "../guard/create-guard.ts";
import type { Guard } from "../guard/guard.ts";
import { createAuditFile } from "../journal/audit-file.ts";
import { createJournal } from "../journal/create-journal.ts";
import type { Journal } from "../journal/journal.ts";
import type { Store } from "../store/store.ts";

/** Floor 2: where code runs, who may, how much, and what is written down of it. */
export interface Means {
  engines: Partial<Record<EngineName, ExecutionEngine>>;
  access: Access;
  guard: Guard;
  journal: Journal;
}

export function createMeans(settings: Settings, store: Store, log: Logger): Means {
  const { guard, audit, admin, engines } = settings;
  const sinks = [{ name: "store", sink: { append: store.calls.append } }];
  if (audit.enabled) sinks.push({ name: audit.file, sink: createAuditFile({ ...audit, log }) });
  return {
    engines: { quickjs: createQuickjsEngine({ maxProcesses: engines.maxProcesses, log }) },
    access: createAccess({ adminToken: admin.token }),
    guard: createGuard({
      concurrency: guard.maxConcurrency,
      callsPerWindow: guard.maxCallsPerWindow,
      windowMs: guard.windowMs,
    }),
    journal: createJournal({ sinks, log }),
  };
}
