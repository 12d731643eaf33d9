import { join } from "node:path";
import { createSecrets } from "../credentials/create-secrets.ts";
import type { Secrets } from "../credentials/credentials.ts";
import { createEnvironmentSecrets } from "../credentials/environment-secrets.ts";
import { createFileSecrets } from "../credentials/file-secrets.ts";
import { createSealedSecrets } from "../credentials/sealed-secrets.ts";
import { createGivenKey, createKeyFile } from "../credentials/sealing-keys.ts";
import type { ReachOptions } from "./reach.ts";

const KEY_FILE = "secret.key";

export function openSecrets({ settings, ambient, store, log, now }: ReachOptions): Secrets {
  const { secrets, server } = settings;
  const keys =
    secrets.key === undefined
      ? createKeyFile({ path: join(server.dataDir, KEY_FILE), log })
      : createGivenKey(secrets.key, () => store.sharedKey("secrets-salt"));
  return createSecrets({
    providers: [
      createEnvironmentSecrets(ambient.secrets),
      ...(secrets.dir === undefined ? [] : [createFileSecrets({ folder: secrets.dir, log })]),
    ],
    sealed: createSealedSecrets({ store: store.secrets, keys, now }),
    allowed: secrets.allowed,
    log,
  });
}
