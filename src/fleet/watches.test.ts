import { expect, it } from "vitest";
import { LOCAL } from "../core/caller.ts";
import { Deadline } from "../core/deadline.ts";
import { DynamicMcpError } from "../core/errors.ts";
import { rawServer } from "./fixtures/open-fleet.ts";
import { modernServer } from "./fixtures/modern-connect.ts";
import { createHealth } from "./health.ts";
import { Link } from "./link.ts";
import { createLogRing } from "./log-ring.ts";
import { Watches } from "./watches.ts";

it("subscribes with the next connection when there was none left to watch over", async () => {
  const { connect, requests } = modernServer(() => ({}));
  let isFull = true;
  const watches: Watches = new Watches({
    forWatch() {
      if (isFull) throw new DynamicMcpError("OVERLOADED", "all connections are in use");
      return link;
    },
    watchIdle() {},
  });
  const link: Link = new Link(
    {
      definition: () => rawServer("raw"),
      services: { connect, client: { name: "test", version: "1" }, now: Date.now, messageBytes: 1_000 },
      health: createHealth({ now: Date.now, random: Math.random, retry: { baseMs: 1, capMs: 1 } }),
      ring: createLogRing({ lines: 10, chars: 1_000 }, Date.now, (text) => text),
      verdict: () => undefined,
      onOpened: (opened) => watches.opened(opened),
      onLost() {},
      onNotification() {},
      onPersonal() {},
      onClaimed() {},
    },
    {},
    undefined,
  );
  const end = watches.add("m://one", { principal: LOCAL });
  expect(watches.isOver(link)).toBe(false);
  isFull = false;
  const deadline = new Deadline(5_000);
  await link.open(deadline);
  deadline.close();
  const said = () => requests.map(({ method, params }) => [method, params["uri"]]);
  await expect.poll(said).toEqual([["resources/subscribe", "m://one"]]);
  expect(watches.isOver(link)).toBe(true);
  end();
  await expect.poll(() => said().at(-1)).toEqual(["resources/unsubscribe", "m://one"]);
  await link.close(new DynamicMcpError("UPSTREAM_UNAVAILABLE", "over"));
});
