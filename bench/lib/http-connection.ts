/**
 * One keep-alive HTTP/1.1 connection for one caller, written for a load generator: it must cost less than what it
 * measures. Understands what MCP servers answer (Content-Length and chunked bodies) and nothing more.
 */
import { connect, type Socket } from "node:net";

export interface HttpAnswer {
  status: number;
  /** Lower-case names. */
  headers: ReadonlyMap<string, string>;
  body: string;
}

export interface HttpConnection {
  /** One at a time. @throws Error when the connection ends before the answer */
  send(method: string, headers: Readonly<Record<string, string>>, body: string): Promise<HttpAnswer>;
  close(): void;
}

/** Servers end connections that were idle for some seconds, as they are while others are measured: then it opens anew. */
export async function openConnection(url: URL): Promise<HttpConnection> {
  let waiting: Waiting | undefined;
  const open = () =>
    openSocket(url, () => {
      const taken = waiting;
      waiting = undefined;
      return taken;
    });
  let socket = await open();

  return {
    async send(method, headers, body) {
      if (socket.destroyed || !socket.writable) socket = await open();
      let head = `${method} ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n`;
      for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
      socket.write(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
      return new Promise((resolve, reject) => (waiting = { resolve, reject }));
    },
    close: () => socket.destroy(),
  };
}

interface Waiting {
  resolve(answer: HttpAnswer): void;
  reject(error: Error): void;
}

/** @param take gives whoever waits for the answer, once */
async function openSocket(url: URL, take: () => Waiting | undefined): Promise<Socket> {
  const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve).once("error", reject);
  });
  let received = Buffer.alloc(0);
  const fail = (error: Error) => take()?.reject(error);
  socket.on("error", fail).on("close", () => fail(new Error("the server closed the connection")));
  socket.on("data", (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const parsed = parseAnswer(received);
    if (!parsed) return;
    received = received.subarray(parsed.length);
    take()?.resolve(parsed.answer);
  });
  return socket;
}

/** @returns undefined while the answer is not all there; else with its length in bytes */
export function parseAnswer(bytes: Buffer): { answer: HttpAnswer; length: number } | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [statusLine = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const status = Number(statusLine.split(" ")[1]);
  const body = headers.get("transfer-encoding") === "chunked" ? chunkedBody : plainBody;
  const found = body(bytes, headEnd + 4, Number(headers.get("content-length") ?? 0));
  return found && { answer: { status, headers, body: found.text }, length: found.end };
}

function plainBody(bytes: Buffer, start: number, length: number) {
  const end = start + length;
  return bytes.length < end ? undefined : { text: bytes.toString("utf8", start, end), end };
}

function chunkedBody(bytes: Buffer, start: number) {
  const parts: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (bytes.length < next) return undefined;
    if (size === 0) return { text: Buffer.concat(parts).toString("utf8"), end: next };
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
}
