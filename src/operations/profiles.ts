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
const FIXED: Readonly<Record<Exposed, readonly Toolset[]>> = {
  direct: [],
  search: ["searching", "calling"],
  code: ["searching", "calling"],
  groups: ["groups"],
};

type Exposed = Exclude<Exposure, "auto">;

/** Whether these profiles have a toolset at all; things that belong to none are had always. */
export function offeredBy(profiles: readonly ProfileName[]): (toolset: string | undefined) => boolean {
  const offered = new Set<string>(profiles.flatMap((profile) => PROFILES[profile]));
  return (toolset) => toolset === undefined || offered.has(toolset);
}

/**
 * Whether a list shows a toolset: of those that the profiles have while it shows tools directly; else nothing but the
 * fixed tools that stand in the place of the others.
 *
 * @returns a function of the toolset, how the list shows tools, and the further ways that single servers want
 */
export function listedBy(
  profiles: readonly ProfileName[],
): (toolset: string | undefined, exposed?: Exposed, inUse?: ReadonlySet<Exposed>) => boolean {
  const isOffered = offeredBy(profiles);
  return (toolset, exposed = "direct", inUse = NONE) =>
    toolset === undefined ||
    (exposed === "direct" && isOffered(toolset)) ||
    [...inUse].some((each) => FIXED[each].some((fixed) => fixed === toolset));
}

const NONE: ReadonlySet<never> = new Set();
