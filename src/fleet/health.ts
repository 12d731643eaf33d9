import { backoffMs } from "../core/backoff.ts";
import { hasCode, type DynamicMcpError } from "../core/errors.ts";

/** Deaths in a row before there is a pause: one that died once, or was killed for once, is needed at once. */
const FREE_DEATHS = 3;

/** What went wrong last with a server, until when it is left alone, and how often it was connected again. */
export interface Health {
  /** What went wrong last; undefined once a connection was made again. */
  readonly problem: DynamicMcpError | undefined;
  /**
   * What went wrong first since it was of use last, for those who tell how it is: each attempt may fail in words of its
   * own, such as the time, and that is no news. That it asks for a login is.
   */
  readonly outage: DynamicMcpError | undefined;
  /** ms since 1970, while there is a problem. */
  readonly retryAt: number;
  readonly restarts: number;
  /** A connection could not be made, or what came over it was of no use. */
  failed(error: DynamicMcpError): void;
  /** A connection was made; whether it is of use is not known yet. */
  connected(): void;
  /** It is of use again. */
  worked(): void;
  /** A connection ended by itself. @param wasOfUse it had come to rest before, or answered a call */
  died(error: DynamicMcpError, wasOfUse: boolean): void;
  /** How long to leave it alone from now, in ms; 0: try. */
  pauseMs(): number;
  forget(): void;
}

const isLogin = (error: DynamicMcpError) => hasCode(error, "UPSTREAM_LOGIN");

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
  let outage: DynamicMcpError | undefined;
  let retryAt = 0;
  let failures = 0;
  let deaths = 0;
  let restarts = 0;
  let hasDied = false;

  function wentWrong(error: DynamicMcpError, waitMs: number): void {
    problem = error;
    if (!outage || isLogin(outage) !== isLogin(error)) outage = error;
    retryAt = now() + waitMs;
  }

  function connected(): void {
    problem = undefined;
    if (hasDied) restarts++;
    hasDied = false;
  }

  return {
    get problem() {
      return problem;
    },
    get outage() {
      return outage;
    },
    get retryAt() {
      return retryAt;
    },
    get restarts() {
      return restarts;
    },
    failed(error) {
      failures++;
      // Credentials do not come back by themselves: no use to ask often.
      wentWrong(error, isLogin(error) ? retry.capMs : backoffMs(failures, retry, random));
    },
    connected,
    worked() {
      connected();
      outage = undefined;
      failures = 0;
    },
    died(error, wasOfUse) {
      hasDied = true;
      deaths = wasOfUse ? 1 : deaths + 1;
      if (deaths <= FREE_DEATHS) return;
      wentWrong(error, backoffMs(deaths - FREE_DEATHS, retry, random));
    },
    pauseMs: () => (problem ? Math.max(0, retryAt - now()) : 0),
    forget() {
      problem = outage = undefined;
      failures = deaths = 0;
    },
  };
}
