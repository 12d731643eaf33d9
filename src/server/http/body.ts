import type { IncomingMessage } from "node:http";
import { DynamicMcpError } from "../../core/errors.ts";

/**
 * The whole body of a request.
 *
 * @throws TOO_LARGE as soon as more than `maxBytes` have been announced or have come
 * @throws CANCELLED when the client goes away before the end
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = () =>
    new DynamicMcpError("TOO_LARGE", `the body of a request may have at most ${maxBytes} bytes`, {
      data: { maxBytes },
    });
  if (Number(request.headers["content-length"]) > maxBytes) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        request.removeAllListeners("data");
        request.pause();
        reject(tooLarge());
      } else chunks.push(chunk);
    });
    request.on("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    request.on("error", (cause) => reject(new DynamicMcpError("CANCELLED", "the connection was lost", { cause })));
  });
}
