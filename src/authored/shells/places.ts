import { DynamicMcpError } from "../../core/errors.ts";

/** Counts shells, those that are still being started too: so a race cannot make one too many. */
export interface Places {
  /** @returns gives the place back; safe to call twice. @throws SHELL_LIMIT */
  take(principal: string): () => void;
}

export function createPlaces({ maxPerPrincipal, maxTotal }: { maxPerPrincipal: number; maxTotal: number }): Places {
  const taken = new Map<string, number>();
  let total = 0;

  return {
    take(principal) {
      const own = taken.get(principal) ?? 0;
      if (own >= maxPerPrincipal) {
        const why = `you have ${own} shells, as many as one may have: stop one with sandbox_stop (sandbox_session_list shows them)`;
        throw new DynamicMcpError("SHELL_LIMIT", why, { data: { limit: maxPerPrincipal, of: "principal" } });
      }
      if (total >= maxTotal) {
        const next = own > 0 ? "stop one of yours with sandbox_stop, or try again later" : "try again later";
        const why = `there are ${total} shells, as many as this server may have: ${next}`;
        throw new DynamicMcpError("SHELL_LIMIT", why, { data: { limit: maxTotal, of: "server" } });
      }
      taken.set(principal, own + 1);
      total++;
      let isBack = false;
      return () => {
        if (isBack) return;
        isBack = true;
        total--;
        const left = (taken.get(principal) ?? 1) - 1;
        if (left > 0) taken.set(principal, left);
        else taken.delete(principal);
      };
    },
  };
}
