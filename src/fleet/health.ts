import { hasCode, type DynamicMcpError } from "../core/errors.ts";
import { backoffMs } from "./backoff.ts";

/** Deaths in a row before there is a pause: one that died once, or was killed for once, is needed at once. */
const FREE_DEATHS = 3;

/** What went wrong last with a server, until when it is left alone, and how often it was connected again. */
export interface Health {
  /** Undefined while all is well. */
  readonly problem: DynamicMcpError | undefined;
  /** ms since 1970, while there is a problem. */
  readonly retryAt: number;
  readonly restarts: number;
  /** A connection could not be made, or what came over it was of no use. */
  failed(error: DynamicMcpError): void;
  /** A connection was made, or what came over it is of use again. */
  worked(): void;
  /** A connection ended by itself. @param wasOfUse it had come to rest before, or answered a call */
  died(error: DynamicMcpError, wasOfUse: boolean): void;
  /** How long to leave it alone from now, in ms; 0: try. */
  pauseMs(): number;
  forget(): void;
}

/** The circuit breaker of one server: open until `retryAt`, then whoever comes first tries. */
export function createHealth({
  now,
  random,
  retry,
}: {
  now: () => number;
  random: () => number;
  retry: { baseMs: number; capMs: number };
}): Health {
  let problem: DynamicMcpError | undefined;
  let retryAt = 0;
  let failures = 0;
  let deaths = 0;
  let restarts = 0;
  let hasDied = false;

  return {
    get problem() {
      return problem;
    },
    get retryAt() {
      return retryAt;
    },
    get restarts() {
      return restarts;
    },
    failed(error) {
      problem = error;
      failures++;
      // Credentials do not come back by themselves: no use to ask as often.
      const wait = hasCode(error, "UPSTREAM_LOGIN") ? retry.baseMs * 4 : backoffMs(failures, retry, random);
      retryAt = now() + wait;
    },
    worked() {
      problem = undefined;
      failures = 0;
      if (hasDied) restarts++;
      hasDied = false;
    },
    died(error, wasOfUse) {
      hasDied = true;
      deaths = wasOfUse ? 1 : deaths + 1;
      if (deaths <= FREE_DEATHS) return;
      problem = error;
      retryAt = now() + backoffMs(deaths - FREE_DEATHS, retry, random);
    },
    pauseMs: () => (problem ? Math.max(0, retryAt - now()) : 0),
    forget() {
      problem = undefined;
      failures = deaths = 0;
    },
  };
}
