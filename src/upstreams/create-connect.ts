import type { Connect } from "./upstream.ts";

/** Opens connections of both kinds; what a kind takes is loaded when the first server of that kind is connected. */
export function createConnect(load: { stdio: () => Promise<Connect>; http: () => Promise<Connect> }): Connect {
  return async (target, options) => {
    const connect = await (target.transport === "stdio" ? load.stdio() : load.http());
    return connect(target, options);
  };
}
