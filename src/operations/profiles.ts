import type { Exposure } from "../core/exposure.ts";
import type { Toolset } from "./operations.ts";

/**
 * Which toolsets a profile lists; `--profile a,b` unites. What a profile does not list can still be called by those who
 * may.
 */
export const PROFILES = {
  mvp: ["authoring", "calling", "system"],
  enterprise: ["authoring", "calling", "sandbox", "attaching", "system", "samples"],
  gateway: ["calling", "system"],
  proxy: ["groups"],
  full: ["authoring", "calling", "searching", "groups", "results", "sandbox", "attaching", "system", "samples"],
} as const satisfies Record<string, readonly Toolset[]>;

export type ProfileName = keyof typeof PROFILES;

/** What stands in the place of tools that are not listed, in every profile. */
const FIXED: Readonly<Record<Exclude<Exposure, "auto">, readonly Toolset[]>> = {
  direct: [],
  search: ["searching", "calling"],
  code: ["searching", "calling"],
  groups: ["groups"],
};

/**
 * @returns whether these profiles list a toolset, where tools are exposed in the ways `inUse`; things that belong to no
 *   toolset are always listed
 */
export function listedBy(
  profiles: readonly ProfileName[],
): (toolset: string | undefined, inUse?: ReadonlySet<Exclude<Exposure, "auto">>) => boolean {
  const listed = new Set<string>(profiles.flatMap((profile) => PROFILES[profile]));
  return (toolset, inUse = NONE) =>
    toolset === undefined ||
    listed.has(toolset) ||
    [...inUse].some((exposure) => FIXED[exposure].some((each) => each === toolset));
}

const NONE: ReadonlySet<never> = new Set();
