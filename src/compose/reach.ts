import { existsSync } from "node:fs";
import type { Ambient } from "../config/ambient.ts";
import type { Settings } from "../config/schema.ts";
import type { Logger } from "../core/source.ts";
import type { Secrets } from "../credentials/credentials.ts";
import type { Egress } from "../machine/net/egress.ts";
import type { PackageStore } from "../machine/packages/packages.ts";
import type { Store } from "../store/store.ts";
import { lazily } from "./lazily.ts";

/** What code gets from outside of its sandbox, through us: packages, the network, secrets. */
export interface Reach {
  packages: PackageStore;
  egress: Egress;
  secrets: Secrets;
  /** Takes away what servers that were killed have left behind; never rejects. */
  tidy(): Promise<void>;
}

export interface ReachOptions {
  settings: Settings;
  ambient: Ambient;
  store: Store;
  log: Logger;
  now: () => number;
}

const REDIRECTS = 10;

/**
 * Loads, starts and reads nothing before the first use.
 *
 * @throws CONFIG_INVALID for hosts or address ranges that are none
 */
export async function openReach(options: ReachOptions): Promise<Reach> {
  await checkEgress(options.settings);
  const packages = lazyPackages(options);
  return {
    packages,
    egress: lazyEgress(options),
    secrets: lazySecrets(options),
    async tidy() {
      // The store tidies when it is opened; where there never was one, there is nothing to tidy.
      if (existsSync(options.settings.packages.dir)) await packages.health().catch(() => {});
    },
  };
}

function lazyPackages(options: ReachOptions): PackageStore {
  const packages = lazily(async () => (await import("./packages.ts")).openPackages(options));
  return {
    resolve: async (wanted, deadline, onProgress) => (await packages.get()).resolve(wanted, deadline, onProgress),
    layer: async (lock, deadline, onProgress) => (await packages.get()).layer(lock, deadline, onProgress),
    health: async () => (await packages.get()).health(),
    close: async () => (await packages.made())?.close(),
  };
}

function lazySecrets(options: ReachOptions): Secrets {
  const secrets = lazily(async () => (await import("./secrets.ts")).openSecrets(options));
  return {
    get: async (name) => (await secrets.get()).get(name),
    isAllowed: async (name) => (await secrets.get()).isAllowed(name),
    list: async () => (await secrets.get()).list(),
    set: async (name, value) => (await secrets.get()).set(name, value),
    remove: async (name) => (await secrets.get()).remove(name),
  };
}

function lazyEgress({ settings: { sandbox } }: ReachOptions): Egress {
  const egress = lazily(async () =>
    (await import("../machine/net/create-egress.ts")).createEgress({
      allowedHosts: sandbox.allowedHosts,
      allowedAddresses: sandbox.allowedAddresses,
      maxRequestBytes: sandbox.maxFetchBytes,
      maxResponseBytes: sandbox.maxFetchBytes,
      timeoutMs: sandbox.fetchTimeoutMs,
      maxRedirects: REDIRECTS,
    }),
  );
  return {
    fetch: async (request, allowed, deadline) => (await egress.get()).fetch(request, allowed, deadline),
    close: async () => (await egress.made())?.close(),
  };
}

/** At the start, not at the first fetch: a list with a slip in it would allow nothing, or not what was meant. */
async function checkEgress({ sandbox: { allowedHosts, allowedAddresses } }: Settings): Promise<void> {
  if (allowedHosts.length === 0 && allowedAddresses.length === 0) return;
  const [{ assertHostPatterns }, { createAddressRule }] = await Promise.all([
    import("../machine/net/hosts.ts"),
    import("../machine/net/addresses.ts"),
  ]);
  assertHostPatterns(allowedHosts);
  createAddressRule(allowedAddresses);
}
