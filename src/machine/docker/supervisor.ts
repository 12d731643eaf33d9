import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, readdir, readFileSync, rm } from "node:fs";
import path from "node:path";
import { createFrameReader, frame } from "../frames.ts";
import { DOWN, type Ended, readWord, secretOf, type Setup, UP, word } from "./supervisor-words.ts";

/**
 * The first process of a container in which many calls of one tool run: starts a process for each, before it is needed,
 * and passes bytes between it and the host. It judges nothing but memory and floods, which nobody else could for one of
 * many.
 *
 * Guests have its user and see it, so it is a small target: nothing that one does ends it or makes it grow, it opens no
 * debugger, reads no file that they can write, and believes no word without the host's secret. It ends, and the
 * container with it, when its input does.
 */
// By itself, Node would open its debugger for whoever sends this.
process.on("SIGUSR1", () => {});
if (process.pid !== 1) throw new Error("it empties /tmp, so it runs in a container of its own or not at all");

interface Running {
  child: ChildProcess;
  folder: string;
  /** Of its output, what is not on its way to the host yet. */
  inFlightBytes: number;
  stderr: Buffer;
  stderrBytes: number;
  isKilled: boolean;
  cause: Ended["cause"];
}

const MAX_FRAME_BYTES = 512 * 1024 * 1024;
const STDERR_BYTES = 4_000;
/** Nothing of ours writes there, but V8 as it dies. */
const MAX_STDERR_BYTES = 1024 * 1024;
/** Of one guest: it is not read on until its bytes are on their way, so that it delays others by no more than these. */
const MAX_IN_FLIGHT_BYTES = 256 * 1024;
/** What a piece costs us beside its bytes: a guest may send them one by one. */
const PIECE_BYTES = 1024;
/** Of all guests: input that they do not read. The one with the most of it is ended then. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;
const LOOK_EVERY_MS = 25;
const PAGE_MIB = 4_096 / 2 ** 20;
const TMP = "/tmp";
/** Where the kernel counts whom it has ended for memory: cgroup v2, then v1. */
const OOM_COUNTS = ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"];

const { exit } = process;
const leave = () => exit(0);

const running = new Map<number, Running>();
let secret: Uint8Array | undefined;
let setup: Setup | undefined;
let script = Buffer.alloc(0);
let oomKills = 0;

function say(what: number, id: number, rest: Uint8Array, onSent?: () => void): void {
  const parts = frame([word(secret ?? new Uint8Array(), what, id), rest]);
  process.stdout.cork();
  for (const part of parts) process.stdout.write(part, part === parts.at(-1) ? onSent : undefined);
  process.stdout.uncork();
}

function begin(rest: Buffer): void {
  if (setup) return leave();
  const jsonBytes = rest.readUInt32BE(0);
  setup = JSON.parse(rest.toString("utf8", 4, 4 + jsonBytes)) as Setup;
  const code = rest.subarray(4 + jsonBytes);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(code.byteLength);
  script = Buffer.concat([head, code]);
  oomKills = countOomKills();
}

function start(id: number): void {
  try {
    startIn(`${TMP}/${id}`, id);
  } catch (error) {
    tellEnd(id, { code: null, signal: null, cause: null, stderr: String(error) });
  }
}

function startIn(folder: string, id: number): void {
  mkdirSync(folder, { mode: 0o700 });
  const args = (setup?.command ?? []).slice(1).map((part) => part.replace("{folder}", folder));
  const env = { ...setup?.env, HOME: folder, TMPDIR: folder };
  const child = spawn(process.execPath, args, { env, stdio: ["pipe", "pipe", "pipe"] });
  const it: Running = {
    child,
    folder,
    inFlightBytes: 0,
    stderr: Buffer.alloc(0),
    stderrBytes: 0,
    isKilled: false,
    cause: null,
  };
  running.set(id, it);
  child.stdin?.on("error", () => {}); // it has ended; that is told by its end
  child.stdin?.write(script);
  child.stdout?.on("data", (chunk: Buffer) => passOn(id, it, chunk));
  child.stderr?.on("data", (chunk: Buffer) => {
    it.stderr = Buffer.concat([it.stderr, chunk.subarray(-STDERR_BYTES)]).subarray(-STDERR_BYTES);
    it.stderrBytes += chunk.byteLength;
    if (it.stderrBytes > MAX_STDERR_BYTES) end(it, "flood");
  });
  let failure = "";
  child.on("error", (error) => (failure = error.message));
  child.on("close", (code, signal) => {
    running.delete(id);
    clean();
    // Whom we did not end, the kernel did for memory, or another guest: the kernel counts its own.
    if (signal === "SIGKILL" && !it.isKilled && isOomKillNew()) it.cause = "memory";
    tellEnd(id, { code, signal, cause: it.cause, stderr: failure + it.stderr.toString("utf8") });
  });
}

function tellEnd(id: number, ended: Ended): void {
  say(UP.ended, id, Buffer.from(JSON.stringify(ended), "utf8"));
}

function passOn(id: number, it: Running, chunk: Buffer): void {
  const cost = chunk.byteLength + PIECE_BYTES;
  it.inFlightBytes += cost;
  if (it.inFlightBytes > MAX_IN_FLIGHT_BYTES) it.child.stdout?.pause();
  say(UP.output, id, chunk, () => {
    it.inFlightBytes -= cost;
    if (it.inFlightBytes <= MAX_IN_FLIGHT_BYTES) it.child.stdout?.resume();
  });
}

function feed(id: number, rest: Buffer): void {
  const stdin = running.get(id)?.child.stdin;
  if (!stdin) return;
  stdin.write(rest);
  const all = [...running.values()].filter(({ isKilled }) => !isKilled);
  const unread = (it: Running) => it.child.stdin?.writableLength ?? 0;
  if (all.reduce((sum, it) => sum + unread(it), 0) <= MAX_UNREAD_BYTES) return;
  const most = all.reduce((a, b) => (unread(a) >= unread(b) ? a : b));
  // One large piece is no backlog: it was just written, and may be read as fast as can be.
  if (unread(most) > rest.byteLength || most.child.stdin !== stdin) end(most, "flood");
}

function end(it: Running, cause: Ended["cause"]): void {
  if (it.isKilled) return;
  it.isKilled = true;
  it.cause = cause;
  it.child.kill("SIGKILL");
  // What it still has to say is for nobody, and what it was to read holds memory.
  it.child.stdout?.destroy();
  it.child.stdin?.destroy();
}

function weigh(): void {
  for (const it of running.values()) {
    try {
      const pages = Number(readFileSync(`/proc/${it.child.pid}/statm`, "latin1").split(" ")[1]);
      if (pages * PAGE_MIB > (setup?.rssMiB ?? Infinity)) end(it, "memory");
    } catch {
      // It ends just now.
    }
  }
}

function countOomKills(): number {
  for (const file of OOM_COUNTS) {
    try {
      return Number(/^oom_kill (\d+)$/m.exec(readFileSync(file, "latin1"))?.[1] ?? 0);
    } catch {
      // The other version, or a kernel that does not count.
    }
  }
  return 0;
}

function isOomKillNew(): boolean {
  if (countOomKills() <= oomKills) return false;
  oomKills++;
  return true;
}

/** Leaves nothing in the folder of temporary files but what running guests have in their own. Links are not followed. */
function clean(): void {
  readdir(TMP, (_, names: string[] | undefined) => {
    const kept = new Set([...running.values()].map(({ folder }) => path.basename(folder)));
    for (const name of names ?? []) {
      if (!kept.has(name)) rm(path.join(TMP, name), { recursive: true, force: true }, () => {});
    }
  });
}

const reader = createFrameReader(MAX_FRAME_BYTES, (bytes) => {
  secret ??= secretOf(bytes);
  const { what, id, rest } = readWord(secret, bytes);
  if (what === DOWN.setup) begin(rest);
  else if (what === DOWN.start) start(id);
  else if (what === DOWN.input) feed(id, rest);
  else if (what === DOWN.kill) {
    const it = running.get(id);
    if (it) end(it, null);
  }
});

process.stdin.on("data", (chunk: Buffer) => {
  try {
    reader.push(chunk);
  } catch {
    leave();
  }
});
process.stdin.on("end", leave);
process.stdin.on("error", leave);
process.stdout.on("error", leave);
setInterval(weigh, LOOK_EVERY_MS);
