import { DynamicMcpError, hasCode } from "../core/errors.ts";
import type { RunContext } from "../core/source.ts";
import type { Fleet, ServerState } from "../fleet/fleet.ts";
import { cut, oneLine, someOf } from "./one-line.ts";

/** Longest that a look at tools waits for servers whose tools are not known yet, in ms; it can be taken again. */
export const LOOK_WAIT_MS = 8_000;
/** Longest that a call does: some servers are downloaded at their start. */
export const CALL_WAIT_MS = 20_000;
const MAX_PROBLEM_CHARS = 160;

/** Its tools are not known and may soon be. */
export const isPending = ({ status }: ServerState) => status === "unknown" || status === "starting";

/** Why it cannot be used now. */
export function problemOf({ status, problem }: ServerState, chars = MAX_PROBLEM_CHARS): string | undefined {
  const isOut = status === "disabled" || status === "invalid" || status === "down" || status === "login";
  if (!isOut) return undefined;
  const words = { disabled: "switched off", invalid: "not usable", down: "down", login: "asks for a login" }[status];
  return problem === undefined ? words : `${words}: ${cut(oneLine(problem), chars)}`;
}

/**
 * Waits until it is known what a server offers.
 *
 * @throws UPSTREAM_UNAVAILABLE when that takes too long; else as `Fleet.known`
 */
export async function waitFor(
  fleet: Pick<Fleet, "known">,
  name: string,
  ctx: Pick<RunContext, "deadline">,
  waitMs: number,
): Promise<ServerState> {
  const deadline = ctx.deadline.child(waitMs);
  try {
    return await fleet.known(name, deadline);
  } catch (error) {
    ctx.deadline.throwIfEnded();
    if (!hasCode(error, "TIMEOUT")) throw error;
    const why = `${name} is still being connected: it has not told its tools within ${Math.round(waitMs / 1_000)} s; try again in a moment`;
    throw new DynamicMcpError("UPSTREAM_UNAVAILABLE", why, { data: { server: name }, cause: error });
  } finally {
    deadline.close();
  }
}

/** Waits for all whose tools are not known yet, those that fail too. */
export async function waitForPending(
  fleet: Pick<Fleet, "known" | "servers">,
  ctx: Pick<RunContext, "deadline">,
): Promise<void> {
  const waits = fleet
    .servers()
    .filter(isPending)
    .map(({ name }) => waitFor(fleet, name, ctx, LOOK_WAIT_MS));
  await Promise.allSettled(waits);
  ctx.deadline.throwIfEnded();
}

/** What a search could not look into; empty when there is nothing to say. */
export function missingText(fleet: Pick<Fleet, "servers">): string {
  const pending = fleet
    .servers()
    .filter(isPending)
    .map(({ name }) => name);
  const out = fleet
    .servers()
    .filter(({ status, counts }) => counts.tools === 0 && (status === "down" || status === "login"));
  const lines = [
    ...(pending.length > 0 ? [`Still starting, search again for theirs: ${someOf(pending, 8)}`] : []),
    ...(out.length > 0
      ? [
          `Not reachable: ${someOf(
            out.map((each) => `${each.name} (${problemOf(each, 80) ?? ""})`),
            8,
          )}`,
        ]
      : []),
  ];
  return lines.join("\n");
}
