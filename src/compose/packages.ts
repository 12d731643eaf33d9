import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ambient } from "../config/ambient.ts";
import { createPackageStore } from "../machine/packages/create-package-store.ts";
import { readRegistrySettings } from "../machine/packages/npmrc.ts";
import { DEFAULT_LIMITS } from "../machine/packages/options.ts";
import type { PackageStore } from "../machine/packages/packages.ts";
import type { ReachOptions } from "./reach.ts";

const MIB = 1024 * 1024;

export async function openPackages({ settings, ambient, log }: ReachOptions): Promise<PackageStore> {
  const { packages } = settings;
  return createPackageStore({
    folder: packages.dir,
    registry: await readRegistrySettings(await npmrcTexts(ambient), ambient.npm, packages.registry),
    allowed: packages.allowed,
    blocked: packages.blocked,
    limits: {
      maxDirect: packages.maxDependencies,
      maxPackages: DEFAULT_LIMITS.maxPackages,
      maxBytes: packages.maxInstalledMiB * MIB,
      maxFiles: packages.maxFiles,
      budgetBytes: packages.cacheMiB * MIB,
    },
    log,
  });
}

/** The user's own settings of npm, and those of the machine where npm's variables name them; the weakest first. */
async function npmrcTexts({ npm, homeDir }: Ambient): Promise<string[]> {
  const files = [npm["npm_config_globalconfig"], npm["npm_config_userconfig"] ?? (homeDir && join(homeDir, ".npmrc"))];
  const read = async (file: string | undefined) => (!file ? "" : readFile(file, "utf8").catch(() => ""));
  const texts = await Promise.all(files.map(read));
  return texts.filter((text) => text !== "");
}
