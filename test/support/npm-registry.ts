import { Deadline } from "../../src/core/deadline.ts";
import { SILENT } from "../../src/core/source.ts";
import { createPackageStore } from "../../src/machine/packages/create-package-store.ts";
import { readRegistrySettings } from "../../src/machine/packages/npmrc.ts";
import { DEFAULT_LIMITS } from "../../src/machine/packages/options.ts";
import type { PackageStore } from "../../src/machine/packages/packages.ts";

/**
 * A store over npm's own registry, as this machine reaches it.
 *
 * @returns undefined where it does not answer
 * @throws Error instead, where every part is required (`DYNAMIC_MCP_REQUIRE_PARTS=1`, as in `.ci/run`)
 */
export async function openRealPackages(folder: string): Promise<PackageStore | undefined> {
  const variables = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const registry = await readRegistrySettings([], Object.fromEntries(variables));
  const limits = DEFAULT_LIMITS;
  const store = createPackageStore({ folder, registry, allowed: [], blocked: [], limits, log: SILENT });
  const deadline = new Deadline(15_000);
  try {
    await store.resolve([{ name: "ms", version: "2.1.3" }], deadline);
    return store;
  } catch (error) {
    await store.close();
    if (process.env["DYNAMIC_MCP_REQUIRE_PARTS"] === "1")
      throw new Error("npm's registry is required", { cause: error });
    return undefined;
  } finally {
    deadline.close();
  }
}
