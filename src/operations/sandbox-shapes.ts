import type * as Zod from "../core/zod.ts";
import type { FileIn, FileOut, ShellView } from "../authored/shells/shells.ts";
import type { JsonObject } from "../core/json.ts";
import { LIMITS } from "../core/limits.ts";

type Z = typeof Zod;

/** What several of the operations on shells take or give. */

const PATH_CHARS = 4_096;
const MAX_FILES = 50;
const MAX_FILE_CHARS = 16_000_000;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export const sessionId = (z: Z) => z.string().min(1).max(100).describe("As sandbox_initialize gave it");

export const shellTimeout = (z: Z, what: string) =>
  z.int().min(LIMITS.timeoutMs.min).max(LIMITS.timeoutMs.max).default(LIMITS.timeoutMs.default).describe(what);

const path = (z: Z) =>
  z
    .string()
    .min(1)
    .max(PATH_CHARS)
    .refine((text) => !text.includes("\0"), "must not hold a zero character");

export const filesIn = (z: Z) =>
  z
    .array(
      z
        .strictObject({
          path: path(z).describe("Relative to the current folder, or absolute below /workspace or /tmp"),
          text: z.string().max(MAX_FILE_CHARS).exactOptional(),
          base64: z.string().max(MAX_FILE_CHARS).regex(BASE64, "must be base64").exactOptional(),
        })
        .refine(
          ({ text, base64 }) => (text === undefined) !== (base64 === undefined),
          "needs either `text` or `base64`",
        ),
    )
    .max(MAX_FILES)
    .default([])
    .describe("Files to write first: `[{ path, text }]` or `[{ path, base64 }]`; folders are made");

export const filesOut = (z: Z) =>
  z.array(path(z)).max(MAX_FILES).default([]).describe("Files to give back afterwards, by content");

export function bytesIn(files: readonly { path: string; text?: string; base64?: string }[]): FileIn[] {
  return files.map(({ path: at, text, base64 }) => ({
    path: at,
    bytes: base64 === undefined ? Buffer.from(text ?? "", "utf8") : Buffer.from(base64, "base64"),
  }));
}

/** Text where it is text: UTF-8 without a zero byte. */
export function fileContent({ path: at, bytes, problem }: FileOut): JsonObject {
  if (bytes === undefined) return { path: at, problem: problem ?? "it could not be read" };
  const text = textOf(bytes);
  const size = bytes.byteLength;
  return text === undefined
    ? { path: at, base64: Buffer.from(bytes).toString("base64"), size }
    : { path: at, text, size };
}

function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** In the older tools' words, and the time of its end. */
export const shellView = (z: Z) =>
  z.object({
    id: z.string(),
    image: z.string(),
    createdAt: z.string(),
    lastUsedAt: z.string(),
    expiresAt: z.string(),
  });

export const viewContent = (view: ShellView): JsonObject => ({ ...view });
