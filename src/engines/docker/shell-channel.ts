import { randomBytes } from "node:crypto";
import { DynamicMcpError } from "../../core/errors.ts";
import type { StreamHandlers } from "../../machine/docker/stream.ts";
import { createMarkReader } from "./shell-marks.ts";
import { escapeCommand } from "./shell-program.ts";

/** Talks with the agent of `shell-program.ts` over the input and output of its container. One command at a time. */
export interface ShellChannel {
  /** What comes out of the container. */
  readonly handlers: StreamHandlers;
  /** To be written first. */
  readonly greeting: string;
  /** Where the last command left off; empty before the first. */
  readonly folder: string;
  /** Resolves when the agent answers for the first time. Never rejects. */
  readonly ready: Promise<void>;
  /** @throws Error while another one runs */
  run(command: string, onOutput: (from: "stdout" | "stderr", bytes: Buffer) => void): RunningCommand;
  /** The other side is gone: what runs ends now. */
  lose(): void;
}

export interface RunningCommand {
  /** Never rejects. */
  readonly ended: Promise<CommandEnd>;
  /** All that it started dies. `ended` says `killed` once it has. */
  kill(): void;
}

export interface CommandEnd {
  how: "exited" | "killed" | "lost";
  /** Of a command that exited. */
  exitCode?: number;
  /** A process of it was killed for the memory that the container had used. */
  isOutOfMemory: boolean;
  /** Processes that would not die. */
  left: number;
}

/** As a shell says it: ended by SIGKILL. */
const KILLED = 128 + 9;

interface Current {
  id: string;
  onOutput(from: "stdout" | "stderr", bytes: Buffer): void;
  isBeingKilled: boolean;
  /** The mark that came on one of the two outputs; the end is when it has come on both. */
  seen: Map<string, number>;
  settle(end: CommandEnd): void;
}

/** Of one command there are three at most. */
const MAX_MARKS = 8;

const numberOf = (word: string | undefined) => (/^\d{1,9}$/.test(word ?? "") ? Number(word) : undefined);

/** So much may come from what was left in the background, between two commands: it is read and dropped, which costs us time. */
export const MAX_IDLE_BYTES = 64 * 1024 * 1024;

/**
 * @param write       to the container's input
 * @param onIdleFlood more than `MAX_IDLE_BYTES` have come while no command ran: the shell has to be ended
 */
export function createShellChannel(write: (text: string) => void, onIdleFlood: () => void): ShellChannel {
  const word = randomBytes(16).toString("hex");
  let current: Current | undefined;
  let isLost = false;
  /** Where the last command left off, and the state file that says so. */
  let folder = "";
  let slot: "-" | "a" | "b" = "-";
  let nextSlot: "a" | "b" = "a";
  let outOfMemoryKills = 0;
  let count = 0;
  let idleBytes = 0;
  let isReady = () => {};
  const ready = new Promise<void>((resolve) => (isReady = resolve));

  function settle(end: CommandEnd): void {
    const ended = current;
    current = undefined;
    ended?.settle(end);
  }

  /** Each mark is written to both outputs, behind all that was written to them before. */
  function isComplete(of: Current, words: string): boolean {
    const times = (of.seen.get(words) ?? 0) + 1;
    if (of.seen.size < MAX_MARKS) of.seen.set(words, times);
    return times === 2;
  }

  /** A new agent: the command killed the one before, and with it whatever ran. */
  function onReady(): void {
    isReady();
    if (!current || !isComplete(current, "ready")) return;
    if (current.isBeingKilled) settle({ how: "killed", isOutOfMemory: false, left: 0 });
    else settle({ how: "exited", exitCode: KILLED, isOutOfMemory: false, left: 0 });
  }

  function onEnd([code, kills, ...left]: readonly string[]): void {
    const [exitCode, outOfMemory] = [numberOf(code) ?? KILLED, numberOf(kills) ?? 0];
    const leftOff = left.join(" ");
    if (leftOff.startsWith("/")) {
      folder = leftOff;
      slot = nextSlot;
      nextSlot = slot === "a" ? "b" : "a";
    }
    const isOutOfMemory = outOfMemory > outOfMemoryKills;
    outOfMemoryKills = Math.max(outOfMemoryKills, outOfMemory);
    settle({ how: "exited", exitCode, isOutOfMemory, left: 0 });
  }

  /** What runs in the shell could write a mark if it tried hard: it would deceive only itself. */
  function onMark(words: string): void {
    const [verb, id, ...rest] = words.split(" ");
    if (verb === "ready") return onReady();
    if (!current || id !== current.id || !isComplete(current, words)) return;
    if (verb === "killed") settle({ how: "killed", isOutOfMemory: false, left: numberOf(rest[0]) ?? 0 });
    else if (verb === "end" && !current.isBeingKilled) onEnd(rest);
  }

  const readerOf = (from: "stdout" | "stderr") =>
    createMarkReader(word, { onMark, onBytes: (bytes) => current?.onOutput(from, bytes) });
  const [out, err] = [readerOf("stdout"), readerOf("stderr")];

  /** Marks count too: what runs in the shell could write them. */
  const counted = (push: (chunk: Uint8Array) => void) => (chunk: Uint8Array) => {
    push(chunk);
    idleBytes = current ? 0 : idleBytes + chunk.byteLength;
    if (idleBytes > MAX_IDLE_BYTES) onIdleFlood();
  };

  return {
    greeting: `${word}\n`,
    ready,
    handlers: { onStdout: counted(out.push), onStderr: counted(err.push) },
    get folder() {
      return folder;
    },

    run(command, onOutput) {
      if (current) throw new Error("a command of this shell runs already");
      idleBytes = 0;
      const id = `c${++count}.${randomBytes(6).toString("hex")}`;
      const ended = new Promise<CommandEnd>((resolve) => {
        current = { id, onOutput, isBeingKilled: false, seen: new Map(), settle: resolve };
      });
      if (isLost) settle({ how: "lost", isOutOfMemory: false, left: 0 });
      else write(`run ${id} ${slot} ${nextSlot} ${escapeCommand(command)}\n`);
      return {
        ended,
        kill() {
          if (current?.id !== id || current.isBeingKilled) return;
          current.isBeingKilled = true;
          write(`kill ${id}\n`);
        },
      };
    },

    lose() {
      isLost = true;
      settle({ how: "lost", isOutOfMemory: false, left: 0 });
    },
  };
}

/** The refusal for a shell that is not there any more. */
export function shellGone(): DynamicMcpError {
  return new DynamicMcpError("SHELL_NOT_FOUND", "the shell has ended; start another with sandbox_initialize");
}
