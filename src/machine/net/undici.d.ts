/**
 * The few members that we use of undici, by the files they are in: the whole of it has `fetch`, `WebSocket` and more,
 * which costs three times the time to load and twice the memory.
 */

declare module "undici/lib/dispatcher/pool.js" {
  import type { Pool as PoolOfUndici } from "undici";
  const Pool: typeof PoolOfUndici;
  export default Pool;
}

declare module "undici/lib/dispatcher/env-http-proxy-agent.js" {
  import type { EnvHttpProxyAgent as AgentOfUndici } from "undici";
  const EnvHttpProxyAgent: typeof AgentOfUndici;
  export default EnvHttpProxyAgent;
}
