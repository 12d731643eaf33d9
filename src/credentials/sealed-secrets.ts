import { DynamicMcpError } from "../core/errors.ts";
import type { SecretStore } from "../store/store.ts";
import type { SealedSecrets } from "./credentials.ts";
import { type SealProblem, seal, unseal } from "./seal.ts";
import type { SealingKeys } from "./sealing-keys.ts";

export interface SealedSecretsOptions {
  store: SecretStore;
  keys: SealingKeys;
  now: () => number;
}

/** Secrets in the store, each sealed by itself. What another process sets is seen at once: nothing is kept here. */
export function createSealedSecrets({ store, keys, now }: SealedSecretsOptions): SealedSecrets {
  return {
    name: "store",
    has: async (name) => (await store.get(name)) !== undefined,

    async get(name) {
      const kept = await store.get(name);
      if (!kept) return undefined;
      // A key that is made now opens nothing.
      const key = await keys.find();
      if (!key) throw shut(name, "another key");
      const opened = unseal(key, name, kept.sealed);
      if (typeof opened === "string") throw shut(name, opened);
      return opened.value;
    },

    async set(name, value) {
      const sealed = seal(await keys.make(), name, value);
      await store.put({ name, sealed, updatedAt: new Date(now()).toISOString() });
    },

    remove: (name) => store.remove(name),
    names: () => store.list(),
  };
}

function shut(name: string, problem: SealProblem): DynamicMcpError {
  const why = {
    "another key": "it was sealed with another key than this server has: give it that one (MCP_SECRET_KEY, or the key file in the data folder)", // prettier-ignore
    damaged: "its row in the store is not as it was written",
  }[problem];
  const message = `the stored secret ${name} cannot be opened: ${why}; or set it anew`;
  return new DynamicMcpError("CREDENTIALS_SEALED", message, { data: { name, problem } });
}
