import { expect, it } from "vitest";
import { connectStdio } from "../upstreams/stdio/connect-stdio.ts";
import { callTool, known, openFleet, rawServer, testClient } from "./fixtures/open-fleet.ts";

const names = (fleet: ReturnType<typeof openFleet>) =>
  fleet.source.items("tool", testClient().caller).map(({ name }) => name);

it("ends the calls of a killed server at once, and the next one works", async () => {
  await using fleet = openFleet([rawServer("raw")]);
  await known(fleet, "raw");
  const pid = Number(await callTool(fleet, "raw__pid"));
  const sleeping = callTool(fleet, "raw__sleep", { ms: 60_000 });
  sleeping.catch(() => {});
  await callTool(fleet, "raw__echo"); // so the server has got the other too
  process.kill(pid, "SIGKILL");
  await expect(sleeping).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
  expect(Number(await callTool(fleet, "raw__pid"))).not.toBe(pid);
  expect(fleet.server("raw")).toMatchObject({ status: "ready", restarts: 1 });
});

it("lets servers that hang or die in any phase harm nobody else [servers-isolated]", async () => {
  const bad = ["initialize", "tools/list", "prompts/list"].flatMap((phase) =>
    (["hang", "die"] as const).map(
      (how) =>
      rawServer(`${how}-${phase.replace("/", "-")}`, { [how]: phase }, { timeouts: { connect: 300, tools: 300, resources: 300, prompts: 300 } }), // prettier-ignore
    ),
  );
  await using fleet = openFleet([...bad, rawServer("zz")], { limits: { slowMs: 50 } });
  await known(fleet, "zz");
  expect(await callTool(fleet, "zz__echo", { value: "fine" })).toBe("fine");
  for (const { name } of bad) {
    await expect(known(fleet, name)).rejects.toMatchObject({ code: expect.stringMatching(/UPSTREAM_UNAVAILABLE|TIMEOUT/) as string }); // prettier-ignore
    await expect.poll(() => fleet.servers().find((each) => each.name === name)).toMatchObject({ status: "down", problem: expect.any(String) as string, retryAt: expect.any(String) as string }); // prettier-ignore
  }
  expect(names(fleet).every((name) => name.startsWith("zz__"))).toBe(true);
});

it("fails at once while a server is left alone after failures, and tries again after that", async () => {
  let connects = 0;
  let at = 1_000_000;
  const connect = () => Promise.reject(new Error(`no luck ${++connects}`));
  await using fleet = openFleet([rawServer("raw")], { connect, now: () => at, limits: { retry: { baseMs: 10_000, capMs: 10_000 } } }); // prettier-ignore
  await expect(known(fleet, "raw")).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
  await expect(known(fleet, "raw")).rejects.toMatchObject({ data: { retryAt: new Date(at + 5_000).toISOString() } });
  expect(connects).toBe(1);
  at += 5_001;
  await expect(known(fleet, "raw")).rejects.toThrow("no luck 2");
});

it("says the same of a server for as long as it fails, in whatever words", async () => {
  let attempts = 0;
  const connect: typeof connectStdio = (target, options) => {
    attempts++;
    return options.name === "dies"
      ? connectStdio(target, options)
      : Promise.reject(new Error(`no luck at ${attempts}`));
  };
  await using fleet = openFleet([rawServer("dies", { die: "tools/list" }), rawServer("refuses")], { connect, limits: { retry: { baseMs: 5, capMs: 5 } } }); // prettier-ignore
  const said = { dies: new Set<unknown>(), refuses: new Set<unknown>() };
  fleet.onChange(() => {
    for (const { name, status, problem } of fleet.servers()) {
      if (status !== "starting" || said[name as "dies"].size > 0) said[name as "dies"].add(problem);
    }
  });
  await expect.poll(() => fleet.servers().every(({ status }) => status === "down")).toBe(true);
  const before = attempts;
  await expect.poll(() => attempts, { timeout: 10_000 }).toBeGreaterThan(before + 6);
  expect([...said.dies, ...said.refuses]).toEqual([expect.stringContaining("dies"), expect.stringContaining("no luck at")]); // prettier-ignore
});

it("does not leave a server alone that is killed again and again between calls that work", async () => {
  await using fleet = openFleet([rawServer("raw")], { random: () => 0.999 });
  await known(fleet, "raw");
  for (let kill = 0; kill < 8; kill++) {
    const pid = Number(await callTool(fleet, "raw__pid"));
    process.kill(pid, "SIGKILL");
    await expect.poll(() => fleet.server("raw")?.pids, { interval: 5 }).not.toContain(pid);
  }
  expect(await callTool(fleet, "raw__echo", { value: "fine" })).toBe("fine");
});

it("connects a server that is in use again as soon as it has died", async () => {
  await using fleet = openFleet([rawServer("raw")]);
  await known(fleet, "raw");
  const pid = Number(await callTool(fleet, "raw__pid"));
  process.kill(pid, "SIGKILL");
  await expect.poll(() => fleet.server("raw")).toMatchObject({ status: "ready", restarts: 1 });
  expect(fleet.logs("raw").map(({ text }) => text).join("\n")).toContain("the connection ended"); // prettier-ignore
});
