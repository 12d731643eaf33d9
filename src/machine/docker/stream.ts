import type { Socket } from "node:net";

/** Output of a container or of a command in it, as it comes. The bytes belong to the receiver. */
export interface StreamHandlers {
  onStdout(chunk: Uint8Array): void;
  onStderr(chunk: Uint8Array): void;
}

/** Standard input, output and error of something that runs in a container. */
export interface DockerStream {
  /** @returns whether more may be written now; `drained` tells when, after a false. Dropped once it has ended */
  write(chunk: Uint8Array): boolean;
  /** Written, and not on its way yet. */
  backlogBytes(): number;
  /** Resolves when what was written is on its way, or can never be. */
  drained(): Promise<void>;
  /** The other side sees the end of its input. */
  endInput(): void;
  /** Ends it at once, on our side; what runs in the container may go on. */
  destroy(): void;
  /** Whether it keeps our own process alive. */
  hold(keepsUsAlive: boolean): void;
  /** Stops reading, so that the daemon stops the writer; and goes on. */
  pause(): void;
  resume(): void;
  /** Resolves when it has ended; with an error when it broke instead of ending. Never rejects. */
  readonly ended: Promise<Error | undefined>;
}

export function createDockerStream(socket: Socket, head: Uint8Array, handlers: StreamHandlers): DockerStream {
  let failure: Error | undefined;
  const demultiplexer = createDemultiplexer(handlers);
  const push = (chunk: Uint8Array) => {
    try {
      demultiplexer.push(chunk);
    } catch (error) {
      socket.destroy(error as Error);
    }
  };
  const ended = new Promise<Error | undefined>((resolve) => {
    socket.on("error", (error) => (failure ??= error));
    socket.on("close", () => resolve(failure ?? demultiplexer.unfinished()));
  });
  socket.setNoDelay(true);
  socket.setTimeout(0);
  if (head.byteLength > 0) push(head);
  socket.on("data", push);

  return {
    ended,
    write: (chunk) => (socket.writable ? socket.write(chunk) : true),
    backlogBytes: () => socket.writableLength,
    drained: () =>
      new Promise((resolve) => {
        if (!socket.writableNeedDrain) return resolve();
        const done = () => {
          socket.off("drain", done);
          socket.off("close", done);
          resolve();
        };
        socket.once("drain", done);
        socket.once("close", done);
      }),
    endInput: () => void socket.end(),
    destroy: () => void socket.destroy(),
    hold: (keepsUsAlive) => void (keepsUsAlive ? socket.ref() : socket.unref()),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  };
}

const HEADER_BYTES = 8;

/**
 * Takes apart what the daemon sends for a container without a terminal: of each piece a kind (1 stdout, 2 stderr, 3 an
 * error of the daemon), three zeros, four bytes of length. Holds nothing back but a header, whatever length it claims.
 *
 * @see Docker Engine API 1.41, "Attach to a container", stream format
 */
function createDemultiplexer(handlers: StreamHandlers): {
  /** @throws Error for bytes that are not of this form, or an error that the daemon reports */
  push(chunk: Uint8Array): void;
  unfinished(): Error | undefined;
} {
  const header = Buffer.alloc(HEADER_BYTES);
  let filled = 0;
  let left = 0;
  let trouble = "";

  return {
    push(chunk) {
      let at = 0;
      while (at < chunk.byteLength) {
        if (left === 0) {
          const take = Math.min(HEADER_BYTES - filled, chunk.byteLength - at);
          header.set(chunk.subarray(at, at + take), filled);
          filled += take;
          at += take;
          if (filled < HEADER_BYTES) return;
          filled = 0;
          if (header[0] === undefined || header[0] > 3 || header.readUIntBE(1, 3) !== 0) {
            throw new Error("the daemon sent something that is not the output of a container");
          }
          left = header.readUInt32BE(4);
          continue;
        }
        const piece = chunk.subarray(at, at + left);
        at += piece.byteLength;
        left -= piece.byteLength;
        if (header[0] === 2) handlers.onStderr(piece);
        else if (header[0] === 3) trouble = (trouble + Buffer.from(piece).toString("utf8")).slice(0, 1_000);
        else handlers.onStdout(piece);
        if (left === 0 && trouble !== "") throw new Error(trouble);
      }
    },
    unfinished: () =>
      filled > 0 || left > 0 ? new Error("the daemon stopped in the middle of what it sent") : undefined,
  };
}
