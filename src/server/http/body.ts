import type { IncomingMessage } from "node:http";
import { Crowd } from "../../core/crowd.ts";
import { DynamicMcpError } from "../../core/errors.ts";

/**
 * Reads the bodies of requests.
 *
 * @param maxBytes of one body
 */
export function createBodies(maxBytes: number) {
  /** Bodies whose end has not come yet: what each is refused by. */
  const arriving = new Crowd<(error: Error) => void>();
  const tooLarge = () =>
    new DynamicMcpError("TOO_LARGE", `the body of a request may have at most ${maxBytes} bytes`, {
      data: { maxBytes },
    });

  return {
    /**
     * The whole body.
     *
     * @throws TOO_LARGE as soon as more than `maxBytes` have been announced or have come
     * @throws CANCELLED when the client goes away before the end
     */
    read(request: IncomingMessage): Promise<Buffer> {
      if (Number(request.headers["content-length"]) > maxBytes) return Promise.reject(tooLarge());
      return new Promise((resolve, reject) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        const refuse = (error: Error) => {
          arriving.remove(refuse);
          request.removeAllListeners("data");
          request.pause();
          reject(error);
        };
        arriving.add(refuse);
        request.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > maxBytes) refuse(tooLarge());
          else chunks.push(chunk);
        });
        request.on("end", () => {
          arriving.remove(refuse);
          resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
        });
        request.on("error", (cause) => {
          refuse(new DynamicMcpError("CANCELLED", "the connection was lost", { cause }));
        });
      });
    },

    /** Waits for no body any longer: all that have not come whole are refused by `error`. */
    refuseAll(error: Error): void {
      for (const refuse of arriving) refuse(error);
    },
  };
}
