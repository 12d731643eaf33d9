import type { Authored } from "./authored.ts";
import { createLookup } from "./lookup.ts";
import { prepare } from "./prepare.ts";
import { createPrograms } from "./programs.ts";
import { createReading } from "./reading.ts";
import { resultOf, runProgram } from "./run.ts";
import type { AuthoredServices } from "./services.ts";
import { openSnapshot } from "./snapshot.ts";
import { createAuthoredSource } from "./source.ts";
import { createWriting } from "./writing.ts";

/** How code that is run once is named in messages and stack traces. */
const ONCE = "run_js_ephemeral";

/** Reads the list of tools once; after that the change feed keeps it up to date. */
export async function createAuthored(services: AuthoredServices): Promise<Authored> {
  const snapshot = await openSnapshot(services.store, services.log);
  const programs = createPrograms(services);
  const lookup = createLookup(services, snapshot);

  return {
    source: createAuthoredSource(services, snapshot, programs),
    tools: { ...createReading(services, snapshot, lookup), ...createWriting(services, snapshot, lookup, programs) },

    async runOnce({ args, ...draft }, by) {
      const { runnable } = await prepare(services, { ...draft, name: ONCE }, by);
      return resultOf(await runProgram(services, runnable, args, by), services, { name: ONCE });
    },

    counts() {
      const heads = snapshot.heads();
      return {
        tools: heads.length,
        enabled: snapshot.listings().length,
        quarantined: heads.filter((head) => head.quarantine !== undefined).length,
      };
    },

    close: () => snapshot.close(),
  };
}
