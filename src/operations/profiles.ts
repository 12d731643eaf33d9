import type { Toolset } from "./operations.ts";

/**
 * Which toolsets a profile lists; `--profile a,b` unites. What a profile does not list can still be called by those who
 * may. `gateway` and `proxy` get their own toolsets together with other servers.
 */
export const PROFILES = {
  mvp: ["authoring", "calling", "system"],
  enterprise: ["authoring", "calling", "sandbox", "system", "samples"],
  gateway: ["calling", "system"],
  proxy: ["calling"],
  full: ["authoring", "calling", "sandbox", "system", "samples"],
} as const satisfies Record<string, readonly Toolset[]>;

export type ProfileName = keyof typeof PROFILES;

/** @returns whether these profiles list a toolset; things that belong to none are always listed */
export function listedBy(profiles: readonly ProfileName[]): (toolset: string | undefined) => boolean {
  const listed = new Set<string>(profiles.flatMap((profile) => PROFILES[profile]));
  return (toolset) => toolset === undefined || listed.has(toolset);
}
