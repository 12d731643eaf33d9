/** Packages that are installed already, as every call of their tools asks for them, beside a bare `node -e 0`. */
import { openRealPackages } from "../../../test/support/npm-registry.ts";
import { Deadline } from "../../../src/core/deadline.ts";
import { SILENT } from "../../../src/core/source.ts";
import { createPackageStore } from "../../../src/machine/packages/create-package-store.ts";
import { readRegistrySettings } from "../../../src/machine/packages/npmrc.ts";
import { DEFAULT_LIMITS } from "../../../src/machine/packages/options.ts";
import type { PackageLock, PackageStore } from "../../../src/machine/packages/packages.ts";
import { compare, inTurn, type Row, skipAll } from "../../lib/rounds.ts";
import { withFolder } from "../../lib/servers.ts";
import { type Effort, scaled } from "../../lib/suite.ts";
import { bareNode, p50 } from "../../lib/timing.ts";

/** With what it depends on, some seventy packages. */
const WANTED = [{ name: "express", version: "4.21.2" }];

const ROWS = {
  opened: { what: "engines: packages that are there, a store just opened, to bare node", unit: "ms", demand: { atMost: 0.5 } }, // prettier-ignore
  known: { what: "engines: packages that are there, asked for again, to bare node", unit: "ms" },
};

export const packages = (effort: Effort): Promise<Row[]> =>
  withFolder(async (folder) => {
    const online = await openRealPackages(folder);
    if (!online) return skipAll(ROWS, "npm's registry does not answer");
    const lock = await install(online);
    await online.close();
    const known = await openOffline(folder);
    try {
      const times = scaled(50, effort, 3);
      await take(known, lock);
      const figures = await inTurn(effort.rounds, {
        bare: () => p50(times, bareNode),
        opened: () => p50(times, async () => openTakeAndClose(folder, lock)),
        known: () => p50(times, () => take(known, lock)),
      });
      return [compare(ROWS.opened, figures.opened, figures.bare), compare(ROWS.known, figures.known, figures.bare)];
    } finally {
      await known.close();
    }
  });

async function install(store: PackageStore): Promise<PackageLock> {
  const deadline = new Deadline(120_000);
  try {
    const lock = await store.resolve(WANTED, deadline);
    (await store.layer(lock, deadline)).release();
    return lock;
  } finally {
    deadline.close();
  }
}

async function take(store: PackageStore, lock: PackageLock): Promise<void> {
  const deadline = new Deadline(30_000);
  try {
    (await store.layer(lock, deadline)).release();
  } finally {
    deadline.close();
  }
}

/** Nothing answers there: what is installed needs no registry. */
const NOWHERE = "http://127.0.0.1:1/";

async function openOffline(folder: string): Promise<PackageStore> {
  const registry = await readRegistrySettings([], {}, NOWHERE);
  return createPackageStore({ folder, registry, allowed: [], blocked: [], limits: DEFAULT_LIMITS, log: SILENT });
}

/** Opening and closing count too. */
async function openTakeAndClose(folder: string, lock: PackageLock): Promise<void> {
  const store = await openOffline(folder);
  await take(store, lock);
  await store.close();
}
