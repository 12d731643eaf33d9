import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { brotliDecompress, constants, gunzip, inflate, inflateRaw } from "node:zlib";
import { DynamicMcpError } from "../../core/errors.ts";
import type { ByteShare } from "./byte-budget.ts";
import { failed } from "./request-head.ts";

export interface BodyLimits {
  /** Of the request. */
  method: string;
  maxBytes: number;
  /** Counts what is held. */
  share: ByteShare;
  /** Unpacking holds more than is counted, so only a few answers are unpacked at once. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Reads an answer's body to its end and unpacks it. Both are given up as soon as they pass the limit: what would unpack
 * to gigabytes costs no more than what is allowed.
 *
 * @throws TOO_LARGE, OVERLOADED; FETCH_FAILED when it is packed in a broken way or more than once; errors of the connection
 */
export async function readBody(
  answer: IncomingMessage,
  { method, maxBytes, share, inTurn }: BodyLimits,
): Promise<Uint8Array> {
  // An answer to HEAD tells the length of what it does not have.
  const declared = method === "HEAD" ? 0 : Number(answer.headers["content-length"] ?? 0);
  if (declared > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += (chunk as Uint8Array).byteLength;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    share.take((chunk as Uint8Array).byteLength);
    chunks.push(chunk as Uint8Array);
  }
  const packed = Buffer.concat(chunks, bytes);
  // It may tell of a coding, too; so may a 304.
  if (bytes === 0) return packed;
  const coding = (answer.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  const body = await inTurn(() => unpack(packed, coding, maxBytes));
  if (body !== packed) share.take(body.byteLength);
  return body;
}

async function unpack(packed: Buffer, coding: string, maxBytes: number): Promise<Uint8Array> {
  // Each coding may hide a bomb from the next, and nobody packs twice.
  if (coding.includes(",")) throw failed("the answer is packed more than once, which is not supported", { coding });
  try {
    return (await decoderFor(coding, packed)?.(maxBytes)) ?? packed;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(maxBytes);
    throw failed(`the answer is not valid ${coding}`, { coding, cause: code }, error);
  }
}

/** @returns undefined for a coding that is unknown: it is handed on as it is, as `fetch` does */
function decoderFor(coding: string, packed: Buffer): ((maxOutputLength: number) => Promise<Buffer>) | undefined {
  // That something breaks off is told by its length; a trailer that is missing is forgiven, as browsers do.
  const finishFlush = constants.Z_SYNC_FLUSH;
  switch (coding) {
    case "gzip":
    case "x-gzip":
      return (maxOutputLength) => promisify(gunzip)(packed, { finishFlush, maxOutputLength });
    case "deflate": {
      // The standard means zlib; some servers send it bare.
      const isZlib = ((packed[0] ?? 0) & 0x0f) === 0x08;
      return (maxOutputLength) =>
        promisify<Buffer, object, Buffer>(isZlib ? inflate : inflateRaw)(packed, { finishFlush, maxOutputLength });
    }
    case "br":
      return (maxOutputLength) =>
        promisify(brotliDecompress)(packed, { finishFlush: constants.BROTLI_OPERATION_FLUSH, maxOutputLength });
    default:
      return undefined;
  }
}

function tooLarge(maxBytes: number): DynamicMcpError {
  return new DynamicMcpError("TOO_LARGE", `the answer has more than ${maxBytes} bytes`, { data: { maxBytes } });
}
