import type { Caller } from "../core/caller.ts";

/**
 * Whose connection it is: one client's, as far as it can be told from others. Clients of 2026-07-28 have no channel; those
 * of one principal that call themselves the same share.
 */
export function whoseOf({ principal, channel, session, client }: Caller): string {
  return JSON.stringify([principal.id, channel ?? session ?? [client?.name, client?.version]]);
}

export const isSameClient = (a: Caller, b: Caller) => whoseOf(a) === whoseOf(b);

/** Whether all of these certainly come from one client: one that has no channel cannot be told from others like it. */
export function areOneClients([first, ...rest]: readonly Caller[]): boolean {
  if (!first || rest.length === 0) return first !== undefined;
  return first.channel !== undefined && rest.every((each) => isSameClient(first, each));
}
