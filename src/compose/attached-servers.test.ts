import { expect, it } from "vitest";
import { bareMachine } from "../config/fixtures/machine.ts";
import { loadSettings } from "../config/load.ts";
import { Deadline } from "../core/deadline.ts";
import { SILENT } from "../core/source.ts";
import type { ServerState } from "../fleet/fleet.ts";
import { createAttachedServers } from "./attached-servers.ts";
import { createDefinitions } from "./definitions.ts";

async function open({ isReachable = true, most = 8 } = {}) {
  const { settings } = await loadSettings(bareMachine({}));
  const ambient = { env: { SECRET: "hidden" }, secrets: {}, npm: {}, homeDir: "/home/u" };
  const definitions = createDefinitions({ settings, ambient, isServing: true, log: SILENT });
  const fleet = {
    server: (name: string) => (definitions.attached.has(name) ? ({ name } as ServerState) : undefined),
    known: async (name: string) => {
      if (!isReachable) throw new Error("cannot be reached");
      return { name } as ServerState;
    },
  };
  return { definitions, attached: createAttachedServers({ definitions, fleet, most, apply() {} }) };
}

const request = (name: string, url: string, isReplacing = false) => ({ name, isReplacing, server: { url } });

it("takes texts as they are: a variable in them shows nobody our environment", async () => {
  const { definitions, attached } = await open();
  await attached.attach(request("a", "https://h.example/${SECRET}"), new Deadline(1_000));
  expect(JSON.stringify(definitions.attached.get("a")?.target)).not.toContain("hidden");
  expect(definitions.attached.get("a")?.target).toMatchObject({ url: expect.stringContaining("SECRET") });
});

it("leaves everything as it was when a server cannot be reached", async () => {
  const { definitions, attached } = await open({ isReachable: false });
  await expect(attached.attach(request("a", "https://h.example/"), new Deadline(1_000))).rejects.toThrow();
  expect(definitions.attached.size).toBe(0);
});

it("holds its limit, and names for whoever has them", async () => {
  const { attached } = await open({ most: 1 });
  await attached.attach(request("a", "https://h.example/"), new Deadline(1_000));
  await expect(attached.attach(request("b", "https://h.example/"), new Deadline(1_000))).rejects.toMatchObject({ code: "SERVER_LIMIT" }); // prettier-ignore
  await expect(attached.attach(request("a", "https://i.example/"), new Deadline(1_000))).rejects.toMatchObject({ code: "NAME_TAKEN" }); // prettier-ignore
  await attached.attach(request("a", "https://i.example/", true), new Deadline(1_000));
  expect(await attached.detach("a")).toBe(true);
  expect(await attached.detach("a")).toBe(false);
});
