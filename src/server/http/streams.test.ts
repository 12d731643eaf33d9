import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, expect, it, vi } from "vitest";
import { noticeOutlet, sendText } from "./post-reply.ts";
import { createStreams } from "./streams.ts";

const LARGE = "x".repeat(30_000_000);
const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

/** A response to a client that reads nothing. */
async function unread(stallMs: number) {
  const streams = createStreams(20, stallMs);
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket: Socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.on("error", () => {});
  socket.pause();
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  closing.push(() => {
    streams.close();
    socket.destroy();
    server.close();
  });
  const [, response] = (await once(server, "request")) as [unknown, ServerResponse];
  return { streams, response, socket };
}

it("a stream that nobody reads is closed after a while, whether it has ended or not", async () => {
  for (const ends of [true, false]) {
    const { streams, response } = await unread(100);
    const stream = streams.open(response, []);
    stream.send(LARGE);
    if (ends) stream.end();
    expect(response.destroyed).toBe(false);
    await vi.waitFor(() => expect(response.destroyed).toBe(true), { timeout: 5_000 });
  }
});

it("a stream that is only silent stays open", async () => {
  const { streams, response, socket } = await unread(60);
  streams.open(response, []);
  let received = "";
  socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
  socket.resume();
  await vi.waitFor(() => expect(received.split(": keep-alive").length).toBeGreaterThan(8), { timeout: 5_000 });
  expect(response.destroyed).toBe(false);
});

it("a stream of notices whose client lags behind is closed, for it would miss some", async () => {
  const { streams, response } = await unread(60_000);
  const stream = streams.open(response, []);
  const outlet = noticeOutlet(stream);
  outlet.send("notifications/one", {});
  stream.send(LARGE);
  expect(response.destroyed).toBe(false);
  outlet.send("notifications/two", {});
  expect(response.destroyed).toBe(true);
});

it("an answer that nobody reads is given a limit", async () => {
  const { response } = await unread(100);
  sendText(response, 200, LARGE, []);
  expect(response.socket?.timeout).toBe(60_000);
});

it("a stream of which the connection is gone already is not kept", async () => {
  const { streams, response, socket } = await unread(100);
  socket.destroy();
  await once(response, "close");
  const stream = streams.open(response, []);
  expect([stream.send("late"), streams.count()]).toEqual([false, 0]);
});
