import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, rm } from "node:fs";
import { createFrameReader, frame } from "../frames.ts";
import { DOWN, type Ended, readWord, type Setup, UP, word } from "./supervisor-words.ts";

/**
 * The first process of a container in which many calls of one tool run: starts a process for each, before it is needed,
 * and passes bytes between it and the host. It judges nothing but memory, which nobody else could for one of many.
 *
 * It ends, and the container with it, when its input does.
 */
interface Running {
  child: ChildProcess;
  folder: string;
  stderr: Buffer;
  isKilled: boolean;
  isTooLarge: boolean;
}

const MAX_FRAME_BYTES = 512 * 1024 * 1024;
const STDERR_BYTES = 4_000;
const { exit } = process;
const leave = () => exit(0);
const LOOK_EVERY_MS = 25;
const PAGE_MIB = 4_096 / 2 ** 20;

const running = new Map<number, Running>();
let setup: Setup | undefined;
let script = Buffer.alloc(0);

function say(what: number, id: number, rest: Uint8Array): void {
  for (const part of frame([word(what, id), rest])) process.stdout.write(part);
}

function begin(rest: Buffer): void {
  const jsonBytes = rest.readUInt32BE(0);
  setup = JSON.parse(rest.toString("utf8", 4, 4 + jsonBytes)) as Setup;
  const code = rest.subarray(4 + jsonBytes);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(code.byteLength);
  script = Buffer.concat([head, code]);
}

function start(id: number): void {
  const folder = `/tmp/${id}`;
  mkdirSync(folder, { mode: 0o700 });
  const args = (setup?.command ?? []).slice(1).map((part) => part.replace("{folder}", folder));
  const env = { ...setup?.env, HOME: folder, TMPDIR: folder };
  const child = spawn(process.execPath, args, { env, stdio: ["pipe", "pipe", "pipe"] });
  const it: Running = { child, folder, stderr: Buffer.alloc(0), isKilled: false, isTooLarge: false };
  running.set(id, it);
  child.stdin?.on("error", () => {}); // it has ended; that is told by its end
  child.stdin?.write(script);
  child.stdout?.on("data", (chunk: Buffer) => say(UP.output, id, chunk));
  child.stderr?.on("data", (chunk: Buffer) => {
    it.stderr = Buffer.concat([it.stderr, chunk]).subarray(-STDERR_BYTES);
  });
  let failure = "";
  child.on("error", (error) => (failure = error.message));
  child.on("close", (code, signal) => {
    running.delete(id);
    rm(folder, { recursive: true, force: true }, () => {});
    const stderr = failure + it.stderr.toString("utf8");
    // Nobody but us and the kernel ends one by SIGKILL; a guest that does it to another of its tool gains nothing.
    const isOutOfMemory = it.isTooLarge || (signal === "SIGKILL" && !it.isKilled);
    const ended: Ended = { code, signal, isOutOfMemory, stderr };
    say(UP.ended, id, Buffer.from(JSON.stringify(ended), "utf8"));
  });
}

function kill(id: number): void {
  const it = running.get(id);
  if (!it) return;
  it.isKilled = true;
  it.child.kill("SIGKILL");
}

function weigh(): void {
  for (const it of running.values()) {
    try {
      const pages = Number(readFileSync(`/proc/${it.child.pid}/statm`, "latin1").split(" ")[1]);
      if (pages * PAGE_MIB <= (setup?.rssMiB ?? Infinity)) continue;
      it.isTooLarge = true;
      it.child.kill("SIGKILL");
    } catch {
      // It ends just now.
    }
  }
}

const reader = createFrameReader(MAX_FRAME_BYTES, (bytes) => {
  const { what, id, rest } = readWord(bytes);
  if (what === DOWN.setup) begin(rest);
  else if (what === DOWN.start) start(id);
  else if (what === DOWN.input) running.get(id)?.child.stdin?.write(rest);
  else if (what === DOWN.kill) kill(id);
});

process.stdin.on("data", (chunk: Buffer) => reader.push(chunk));
process.stdin.on("end", leave);
process.stdin.on("error", leave);
process.stdout.on("error", leave);
setInterval(weigh, LOOK_EVERY_MS);
