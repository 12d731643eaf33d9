import { createAccess, type Access } from "../access/access.ts";
import { createGuard } from "../guard/create-guard.ts";
import type { Guard } from "../guard/guard.ts";
import { createAuditFile } from "../journal/audit-file.ts";
import { createJournal } from "../journal/create-journal.ts";
import type { Journal } from "../journal/journal.ts";
import { type Engines, openEngines } from "./engines.ts";
import { openReach, type Reach, type ReachOptions } from "./reach.ts";

/** Floor 2: where code runs and what it may reach, who may, how much, and what is written down of it. */
export interface Means {
  engines: Engines;
  reach: Reach;
  access: Access;
  guard: Guard;
  journal: Journal;
}

/** @throws CONFIG_INVALID */
export async function createMeans(options: ReachOptions): Promise<Means> {
  const { settings, ambient, store, log } = options;
  const { guard, audit, admin } = settings;
  const sinks = [{ name: "store", sink: { append: store.calls.append } }];
  if (audit.enabled) sinks.push({ name: audit.file, sink: createAuditFile({ ...audit, log }) });
  return {
    engines: openEngines(settings, ambient, log),
    reach: await openReach(options),
    access: createAccess({ adminToken: admin.token }),
    guard: createGuard({
      concurrency: guard.maxConcurrency,
      callsPerWindow: guard.maxCallsPerWindow,
      windowMs: guard.windowMs,
    }),
    journal: createJournal({ sinks, log }),
  };
}
