/**
 * Secrets that tools may read by name. Values come from providers, in order; whoever reads one gets a text and has to see
 * to it that it shows nowhere (`hideValues` and `hideInJsonText` in core).
 */
export interface Secrets {
  /**
   * @throws SECRET_REFUSED when the operator does not allow `name` to tools, or nobody has set it: the two look the same
   *   to the code, and different in our log. Also when its value could not be hidden, or is no text
   * @throws CREDENTIALS_SEALED when it is stored but cannot be opened
   */
  get(name: string): Promise<string>;

  /** Whether tools may have it: in the operator's list, or set with `secret set`. Never says whether it has a value. */
  isAllowed(name: string): Promise<boolean>;

  /** Names and where each comes from, in ascending order; no values. */
  list(): Promise<SecretEntry[]>;

  /**
   * Keeps a value in the sealed store, which allows it to tools.
   *
   * @param value 4 characters to 64 KiB of text
   * @throws INVALID_NAME, INVALID_ARGUMENTS, TOO_LARGE, CREDENTIALS_SEALED (no key can be had), STORE_UNAVAILABLE
   */
  set(name: string, value: string): Promise<void>;

  /** @returns false when the sealed store had none */
  remove(name: string): Promise<boolean>;
}

export interface SecretEntry {
  name: string;
  /** Where its value is found first; absent when it is allowed and nobody has set it. */
  provider?: SecretProviderName;
  /** Whether tools may read it. */
  isAllowed: boolean;
  /** ISO 8601, of the sealed store only. */
  updatedAt?: string;
}

export type SecretProviderName = "environment" | "file" | "store";

/** One place where secrets are found. */
export interface SecretProvider {
  readonly name: SecretProviderName;
  /**
   * @returns undefined when it has none of that name
   * @throws SECRET_REFUSED, CREDENTIALS_SEALED when it has one and cannot give it
   */
  get(name: string): Promise<string | undefined>;
  /** Names that it has and could give. */
  names(): Promise<readonly { name: string; updatedAt?: string }[]>;
}

/** The one provider that we write to. */
export interface SealedSecrets extends SecretProvider {
  readonly name: "store";
  has(name: string): Promise<boolean>;
  set(name: string, value: string): Promise<void>;
  remove(name: string): Promise<boolean>;
}

/** Letters, digits and underscores, not a digit first, at most 128. */
export const SECRET_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/** Of a value, as UTF-8. */
export const MAX_SECRET_BYTES = 64 * 1024;
