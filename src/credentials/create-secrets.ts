import { DynamicMcpError, hasCode } from "../core/errors.ts";
import { matchesPattern } from "../core/pattern.ts";
import { MIN_HIDDEN_CHARS } from "../core/secret-forms.ts";
import type { Logger } from "../core/source.ts";
import { MAX_SECRET_BYTES, SECRET_NAME, type SealedSecrets, type SecretEntry, type SecretProvider, type Secrets } from "./credentials.ts"; // prettier-ignore

export interface SecretsOptions {
  /** Asked in this order, before the sealed store. */
  providers: readonly SecretProvider[];
  sealed: SealedSecrets;
  /** Names that the operator allows to tools; `*` stands for any characters. */
  allowed: readonly string[];
  log: Logger;
}

/** What is set with `secret set` is allowed by that; what lies in the environment or in files, only by the list. */
export function createSecrets({ providers, sealed, allowed, log }: SecretsOptions): Secrets {
  const all: readonly SecretProvider[] = [...providers, sealed];
  const isListed = (name: string) => allowed.some((pattern) => matchesPattern(pattern, name));
  const isAllowed = async (name: string) => SECRET_NAME.test(name) && (isListed(name) || (await sealed.has(name)));

  function refuse(name: string, reason: string): DynamicMcpError {
    log.warn({ name: name.slice(0, 128), reason }, "code was refused a secret");
    const shown = SECRET_NAME.test(name) ? name : JSON.stringify(name.slice(0, 80));
    const why = `the secret ${shown} is not to be had here; the operator of this server sets it with \`dynamic-mcp secret set\``; // prettier-ignore
    return new DynamicMcpError("SECRET_REFUSED", why, { data: { name: shown } });
  }

  /** What names files of ours is for our log; the code gets less. */
  async function valueFrom(provider: SecretProvider, name: string): Promise<string | undefined> {
    try {
      return await provider.get(name);
    } catch (error) {
      if (!hasCode(error, "CREDENTIALS_SEALED")) throw error;
      log.error({ err: error, name }, "a stored secret cannot be opened");
      const why = `the stored secret ${name} cannot be opened on this server; its log says why`;
      throw new DynamicMcpError("CREDENTIALS_SEALED", why, { data: { name }, cause: error });
    }
  }

  return {
    isAllowed,

    async get(name) {
      if (!(await isAllowed(name))) throw refuse(name, "the operator does not allow it to tools");
      for (const provider of all) {
        const value = await valueFrom(provider, name);
        if (value === undefined) continue;
        const problem = whyUnfit(value);
        if (!problem) {
          log.debug({ name, provider: provider.name }, "code was given a secret");
          return value;
        }
        log.warn({ name, provider: provider.name, problem }, "a secret cannot be used");
        const why = `the secret ${name} cannot be used: ${problem}; its operator has to set another value`;
        throw new DynamicMcpError("SECRET_REFUSED", why, { data: { name } });
      }
      throw refuse(name, "nobody has set it");
    },

    async list() {
      const found = new Map<string, SecretEntry>();
      const isSealed = new Set((await sealed.names()).map(({ name }) => name));
      for (const provider of all) {
        for (const { name, updatedAt } of await provider.names()) {
          if (found.has(name)) continue;
          const entry: SecretEntry = { name, provider: provider.name, isAllowed: isListed(name) || isSealed.has(name) };
          found.set(name, updatedAt === undefined ? entry : { ...entry, updatedAt });
        }
      }
      for (const name of allowed) {
        if (SECRET_NAME.test(name) && !found.has(name)) found.set(name, { name, isAllowed: true });
      }
      return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },

    async set(name, value) {
      assertSecretName(name);
      const bytes = Buffer.byteLength(value);
      if (bytes > MAX_SECRET_BYTES) {
        const data = { maxBytes: MAX_SECRET_BYTES };
        throw new DynamicMcpError("TOO_LARGE", `a secret has at most ${MAX_SECRET_BYTES} bytes, this one ${bytes}`, { data }); // prettier-ignore
      }
      const problem = whyUnfit(value);
      if (problem) throw new DynamicMcpError("INVALID_ARGUMENTS", `this value cannot be a secret: ${problem}`);
      await sealed.set(name, value);
    },

    async remove(name) {
      assertSecretName(name);
      return await sealed.remove(name);
    },
  };
}

/** Words that tell nothing of the value. */
function whyUnfit(value: string): string | undefined {
  // It would show in whatever the code returns, and nobody could tell it from other text.
  if (value.length < MIN_HIDDEN_CHARS) return `it has fewer than ${MIN_HIDDEN_CHARS} characters and could not be hidden in what tools return`; // prettier-ignore
  if (Buffer.byteLength(value) > MAX_SECRET_BYTES) return `it has more than ${MAX_SECRET_BYTES} bytes`;
  return value.isWellFormed() && !value.includes("\uFFFD") ? undefined : "it is not text in UTF-8";
}

/** @throws INVALID_NAME */
function assertSecretName(name: string): void {
  if (SECRET_NAME.test(name)) return;
  const rule = "letters, digits and underscores, not a digit first, at most 128";
  throw new DynamicMcpError("INVALID_NAME", `${JSON.stringify(name.slice(0, 160))} cannot name a secret: use ${rule}`);
}
