/**
 * Frames over a byte stream: four bytes of length (big endian), then that many bytes.
 *
 * The reader never holds more than one frame plus one chunk, and refuses a length above its cap before it reserves a
 * single byte for it.
 */

const HEADER_BYTES = 4;

/** The header and the parts, ready to be written one after the other; parts are not copied. */
export function frame(parts: readonly Uint8Array[]): Uint8Array[] {
  const header = new Uint8Array(HEADER_BYTES);
  let bytes = 0;
  for (const part of parts) bytes += part.byteLength;
  new DataView(header.buffer).setUint32(0, bytes);
  return [header, ...parts];
}

export interface FrameReader {
  /** Takes the next chunk of the stream. @throws FrameTooLarge */
  push(chunk: Uint8Array): void;
}

export class FrameTooLarge extends Error {
  override readonly name = "FrameTooLarge";
}

/**
 * @param maxBytes largest frame that is accepted, without its header
 * @param onFrame  gets each frame once; the bytes are its own to keep
 */
export function createFrameReader(maxBytes: number, onFrame: (frame: Uint8Array) => void): FrameReader {
  const header = new Uint8Array(HEADER_BYTES);
  let headerFilled = 0;
  let body: Uint8Array | undefined;
  let bodyFilled = 0;

  return {
    push(chunk) {
      let at = 0;
      while (at < chunk.byteLength) {
        if (!body) {
          const take = Math.min(HEADER_BYTES - headerFilled, chunk.byteLength - at);
          header.set(chunk.subarray(at, at + take), headerFilled);
          headerFilled += take;
          at += take;
          if (headerFilled < HEADER_BYTES) return;
          const length = new DataView(header.buffer).getUint32(0);
          if (length > maxBytes) throw new FrameTooLarge(`a frame of ${length} bytes is over the cap of ${maxBytes}`);
          body = new Uint8Array(length);
          bodyFilled = 0;
        }
        const take = Math.min(body.byteLength - bodyFilled, chunk.byteLength - at);
        body.set(chunk.subarray(at, at + take), bodyFilled);
        bodyFilled += take;
        at += take;
        if (bodyFilled < body.byteLength) return;
        const done = body;
        body = undefined;
        headerFilled = 0;
        onFrame(done);
      }
    },
  };
}
