import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";

/** A key of 32 bytes, and a name for it that tells nothing of it. */
export interface SealingKey {
  key: Uint8Array;
  id: Uint8Array;
}

/** How a value could not be opened: sealed with another key, or not as it was written. */
export type SealProblem = "another key" | "damaged";

const CIPHER = "aes-256-gcm";
const FORM = 1;
const ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + ID_BYTES + NONCE_BYTES;

export function sealingKey(key: Uint8Array): SealingKey {
  return { key, id: createHash("sha256").update("dynamic-mcp key id\0").update(key).digest().subarray(0, ID_BYTES) };
}

/**
 * A value under its name: form, id of the key, a fresh nonce, what AES-256-GCM makes of it, and the tag. The name is
 * part of what is sealed, so that a row does not open under another one.
 */
export function seal({ key, id }: SealingKey, name: string, value: string): Uint8Array {
  const head = Buffer.concat([Buffer.from([FORM]), id, randomBytes(NONCE_BYTES)]);
  const cipher = createCipheriv(CIPHER, key, head.subarray(1 + ID_BYTES)).setAAD(boundTo(head, name));
  return Buffer.concat([head, cipher.update(value, "utf8"), cipher.final(), cipher.getAuthTag()]);
}

export function unseal({ key, id }: SealingKey, name: string, sealed: Uint8Array): { value: string } | SealProblem {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < HEAD_BYTES + TAG_BYTES || bytes[0] !== FORM) return "damaged";
  const head = bytes.subarray(0, HEAD_BYTES);
  if (!head.subarray(1, 1 + ID_BYTES).equals(id)) return "another key";
  try {
    const decipher = createDecipheriv(CIPHER, key, head.subarray(1 + ID_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(boundTo(head, name)).setAuthTag(bytes.subarray(-TAG_BYTES));
    const value = Buffer.concat([decipher.update(bytes.subarray(HEAD_BYTES, -TAG_BYTES)), decipher.final()]);
    return { value: value.toString("utf8") };
  } catch {
    return "damaged";
  }
}

function boundTo(head: Uint8Array, name: string): Buffer {
  return Buffer.concat([head, Buffer.from(`dynamic-mcp secret\0${name}`)]);
}
