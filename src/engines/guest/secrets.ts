import type { HostCall } from "./tools.ts";

/** The global `secrets`: values that the operator lets this code read. */
export function makeSecrets(hostCall: HostCall): object {
  return Object.freeze({
    get(name: unknown): Promise<unknown> {
      if (typeof name === "string") return hostCall("secrets.get", { name });
      return Promise.reject(new TypeError("secrets.get(name): the name must be text"));
    },
  });
}
