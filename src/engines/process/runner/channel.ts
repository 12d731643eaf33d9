import { writeSync } from "node:fs";
import { Socket } from "node:net";
import { createFrameReader } from "../../../machine/frames.ts";
import { type Unpacked, unpack } from "../protocol.ts";
import { plainJson } from "./plain-json.ts";

/**
 * The way to the engine. What is written has left when the call returns, whatever the guest does to this process next.
 * The process leaves when the channel closes.
 */
export interface Channel {
  send(kind: number, head: object, rest?: Uint8Array): void;
  /** Whether the channel keeps the process alive. */
  hold(keepsAlive: boolean): void;
}

export interface Descriptors {
  read: number;
  write: number;
}

const MAX_FRAME_BYTES = 512 * 1024 * 1024;
const FRAME_HEAD_BYTES = 9;

// Taken before any guest runs.
const write = writeSync;
const { wait } = Atomics;
const encoder = new TextEncoder();
const encode = encoder.encode.bind(encoder);
const leaveNow = (process as unknown as { reallyExit(code: number): never }).reallyExit.bind(process);
const cell = new Int32Array(new SharedArrayBuffer(4));
const AGAIN = "EAGAIN";

/** Ends the process without asking anybody in it. */
export const leave = (): never => leaveNow(0);
export const utf8: (text: string) => Uint8Array = encode;

export function openChannel({ read, write: out }: Descriptors, onFrame: (frame: Unpacked) => void): Channel {
  const reader = createFrameReader(MAX_FRAME_BYTES, (bytes) => onFrame(unpack(bytes)));
  const socket = new Socket({ fd: read, readable: true, writable: false });
  socket.on("data", (chunk: Buffer) => reader.push(chunk));
  socket.on("close", leave);
  socket.on("end", leave);
  socket.on("error", leave);
  const ref = socket.ref.bind(socket);
  const unref = socket.unref.bind(socket);

  function writeAll(bytes: Uint8Array, length: number): void {
    let at = 0;
    while (at < length) {
      try {
        at += write(out, bytes, at, length - at);
      } catch (error) {
        // The other end reads slower than we write. Anything else means that it is gone.
        if ((error as { code?: unknown }).code !== AGAIN) leave();
        wait(cell, 0, 0, 1);
      }
    }
  }

  return {
    send(kind, head, rest) {
      const json = encode(plainJson(head));
      const restBytes = rest?.byteLength ?? 0;
      const start = new Uint8Array(FRAME_HEAD_BYTES);
      putUint32(start, 0, FRAME_HEAD_BYTES - 4 + json.byteLength + restBytes);
      start[4] = kind;
      putUint32(start, 5, json.byteLength);
      writeAll(start, FRAME_HEAD_BYTES);
      writeAll(json, json.byteLength);
      if (rest) writeAll(rest, restBytes);
    },
    hold: (keepsAlive) => void (keepsAlive ? ref() : unref()),
  };
}

function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
