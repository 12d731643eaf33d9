import { Crowd } from "../../core/crowd.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import { idOfEnds } from "../../machine/id-of-ends.ts";
import { spawnLines, type LineProcess, type LineProcessExit } from "../../machine/line-process.ts";
import { readMessages, readPlainAnswer, type Incoming } from "../peer/read-message.ts";
import type { Wire, WireAnswer, WireMessage, WireRequest } from "../peer/wire.ts";
import type { ConnectOptions, UpstreamEnd, UpstreamTarget } from "../upstream.ts";

export type StdioTarget = Extract<UpstreamTarget, { transport: "stdio" }>;

/** What is shown of a line that is no message, in characters. */
const MAX_SHOWN_CHARS = 2_000;
/** What a server may send unasked within this time; if it is more, it waits, and what is no message is not shown. */
const UNASKED = { count: 2_000, perMs: 100 };
const LAST_WORDS = { lines: 6, chars: 600 };

/** JSON-RPC over the pipes of a process: a line is a message. */
export interface PipeWire extends Wire {
  readonly pid: number | undefined;
  /** Remembers what the process has started, so that it ends with it. */
  look(): void;
  /** Ends the process without asking, for one that nothing was agreed with; resolves when it is gone. */
  kill(): Promise<void>;
  /** The last lines of stderr, to be put behind a message; empty when there are none. */
  lastWords(): string;
}

export function createPipeWire(
  target: StdioTarget,
  options: ConnectOptions,
  onMessage: (message: WireMessage) => void,
): PipeWire {
  const { name, maxMessageBytes } = options;
  const pending = new Crowd<Pending>();
  const lastWords: string[] = [];
  let end: UpstreamEnd | undefined;
  /** Requests under way that somebody waits for: they keep our process alive. */
  let held = 0;

  const settle = (id: number, answer: WireAnswer | DynamicMcpError): boolean => {
    const request = pending.find((each) => each.id === id);
    if (!request) return false;
    pending.remove(request);
    request.stopWatching?.();
    if (request.isHolding && --held === 0) child.hold(false);
    if (answer instanceof DynamicMcpError) request.reject(answer);
    else request.resolve(answer);
    return true;
  };
  let unasked = 0;
  let countedSince = 0;
  const isTooMuch = () => {
    const now = performance.now();
    if (now - countedSince > UNASKED.perMs) {
      countedSince = now;
      unasked = 0;
    }
    if (++unasked <= UNASKED.count) return false;
    child.rest(UNASKED.perMs);
    return true;
  };
  const show = (line: string, why: string) => {
    if (!isTooMuch()) shorten(line, why);
  };
  const shorten = (line: string, why: string) => options.onLine("stdout", `${why}${line.slice(0, MAX_SHOWN_CHARS)}`);
  const take = (incoming: Incoming, line: string) => {
    if (incoming.kind !== "answer") {
      isTooMuch();
      onMessage(incoming);
    } else if (typeof incoming.id !== "number" || !settle(incoming.id, incoming.answer))
      show(line, "answer to nothing: ");
  };

  const child: LineProcess = spawnLines({
    ...target,
    maxLineBytes: maxMessageBytes,
    onLine(line) {
      const plain = readPlainAnswer(line);
      if (plain) {
        if (!settle(plain.id, { result: plain.result, text: plain.text })) show(line, "answer to nothing: ");
        return;
      }
      const messages = mayBeMessage(line) ? readMessages(line) : undefined;
      if (messages) for (const message of messages) take(message, line);
      else if (line.trim() !== "") show(line, "");
    },
    onLongLine(head, tail) {
      const id = idOfEnds(head, tail);
      const tooLarge = new DynamicMcpError(
        "TOO_LARGE",
        `the answer of ${name} has more than ${maxMessageBytes} bytes`,
        {
          data: { server: name, maxBytes: maxMessageBytes },
        },
      );
      if (typeof id !== "number" || !settle(id, tooLarge)) show(head, "message that is too large: ");
    },
    onStderr(line) {
      lastWords.push(line.slice(0, LAST_WORDS.chars));
      if (lastWords.length > LAST_WORDS.lines) lastWords.shift();
      options.onLine("stderr", line.slice(0, MAX_SHOWN_CHARS));
    },
  });

  const ended = child.exited.then((exit) => {
    end = describeEnd(name, exit, lastWords);
    const error = unavailable(end.message);
    for (const { id } of pending) settle(id, error);
    return end;
  });
  const unavailable = (message: string) =>
    new DynamicMcpError("UPSTREAM_UNAVAILABLE", message, { data: { server: name } });
  /** The request has not left: sending it once more, over the next connection, can do nothing twice. */
  const unhandled = (message: string) =>
    new DynamicMcpError("UPSTREAM_UNAVAILABLE", message, { data: { server: name, isUnhandled: true } });

  return {
    pid: child.pid,
    ended,
    look: child.look,
    async kill() {
      child.kill();
      await ended;
    },
    lastWords: () => quoted(lastWords),
    request(id, body, { deadline, method }: WireRequest) {
      if (end) return Promise.reject(unhandled(end.message));
      if (deadline.reason) return Promise.reject(deadline.error());
      return new Promise<WireAnswer>((resolve, reject) => {
        // A stream of changes stays open for as long as there is something else to do.
        const isHolding = method !== "subscriptions/listen";
        const request: Pending = { id, resolve, reject, isHolding, stopWatching: undefined };
        pending.add(request);
        if (isHolding && ++held === 1) child.hold(true);
        request.stopWatching = deadline.onEnd(() => settle(id, deadline.error()));
        const isTaken = child.write(body, () => settle(id, unhandled(`${name} has just ended`)), pending.size === 1);
        if (!isTaken && !end && child.pid !== undefined) {
          settle(id, unhandled(`${name} does not read what it is sent; it may hang`));
        }
      });
    },
    send(body) {
      if (!end) child.write(body);
    },
    async close() {
      await child.close();
    },
  };
}

/** Spares us most of the failures of the parser, which cost much more than its successes. */
function mayBeMessage(line: string): boolean {
  return line.length >= SHORTEST.length && line.includes('"jsonrpc"');
}

const SHORTEST = '{"jsonrpc":"2.0","method":""}';

interface Pending {
  id: number;
  resolve(answer: WireAnswer): void;
  reject(error: DynamicMcpError): void;
  isHolding: boolean;
  stopWatching: (() => void) | undefined;
}

function describeEnd(name: string, exit: LineProcessExit, lastWords: readonly string[]): UpstreamEnd {
  const said = quoted(lastWords);
  const how = exit.signal ? `was ended by ${exit.signal}` : `exited with code ${exit.code ?? "unknown"}`;
  switch (exit.reason) {
    case "unspawned":
      return { reason: "exited", message: `${name} could not be started: ${exit.message ?? "unknown reason"}` };
    case "closed":
      return { reason: "closed", message: `the connection to ${name} is closed` };
    case "mute":
      return { reason: "lost", message: `${name} closed its output${said}` };
    case "exited":
      return { reason: "exited", message: `${name} ${how}${said}` };
  }
}

function quoted(lastWords: readonly string[]): string {
  const words = lastWords.join("\n").slice(-LAST_WORDS.chars);
  return words === "" ? "" : `; its last words: ${words}`;
}
