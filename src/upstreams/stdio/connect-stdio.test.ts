import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { Deadline } from "../../core/deadline.ts";
import { processStart } from "../../machine/process-identity.ts";
import { callTool, connectOptions, describeUpstreamContract, relayThat } from "../upstream.contract.ts";
import type { ConnectOptions, Upstream } from "../upstream.ts";
import { connectStdio } from "./connect-stdio.ts";

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const RAW = fixture("raw-server.ts");
const NODE = process.execPath;
const ENV = { PATH: process.env["PATH"] ?? "" };
const opened: Upstream[] = [];

async function start(command: string, args: string[], changes: Partial<ConnectOptions> = {}): Promise<Upstream> {
  const upstream = await connectStdio({ transport: "stdio", command, args, env: ENV }, connectOptions(changes));
  opened.push(upstream);
  return upstream;
}
const raw = (fault = "", changes: Partial<ConnectOptions> = {}) => start(NODE, [RAW, fault], changes);

/** One that has died and that nobody has waited for yet is not. */
const isAlive = (pid: number) => processStart(pid) !== undefined;

afterEach(async () => {
  await Promise.all(opened.splice(0).map((upstream) => upstream.close()));
});

describeUpstreamContract("stdio", (options) =>
  connectStdio({ transport: "stdio", command: NODE, args: [RAW], env: ENV }, options),
);

describe("starting a server over stdio", () => {
  it.each([
    ["dies at start", { code: "UPSTREAM_UNAVAILABLE", message: expect.stringContaining("no such database") as string }],
    ["dies in initialize", { code: "UPSTREAM_UNAVAILABLE", message: expect.stringContaining("code 4") as string }],
    ["unknown version", { code: "UPSTREAM_INVALID" }],
  ])("says why a server that %s cannot be used", async (fault, error) => {
    await expect(raw(fault)).rejects.toMatchObject(error);
  });

  it("names a program that does not exist, and a folder that does not", async () => {
    await expect(start("no-such-program", [])).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    await expect(start("no-such-program", [])).rejects.not.toThrow("`args`");
    await expect(start(`node ${RAW}`, [])).rejects.toThrow(
      /there is no program "node .*its arguments belong into `args`/,
    );
    const target = { transport: "stdio", command: NODE, args: [], env: ENV, cwd: "/no/such/folder" } as const;
    await expect(connectStdio(target, connectOptions())).rejects.toThrow("/no/such/folder");
  });

  it("gives up on one that never answers, and leaves no process", async () => {
    const pids: number[] = [];
    const onLine = (_: string, line: string) => pids.push(Number(/pid (\d+)/.exec(line)?.[1]));
    const args = ["-c", 'echo "pid $$" >&2; while read -r line; do :; done'];
    await expect(start("sh", args, { deadline: new Deadline(400), onLine })).rejects.toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
    });
    expect(pids.filter(isAlive)).toEqual([]);
    expect(pids).toHaveLength(1);
  });

  it("starts one that dies of the first question once more", async () => {
    expect((await raw("dies of the probe")).about.era).toBe("legacy");
  });

  it("asks in the older way one that does not answer the first question, in the same process", async () => {
    const starts: string[] = [];
    const upstream = await raw("silent on the probe", { onLine: (_, line) => starts.push(line) });
    expect(upstream.about.version).toBe("2025-11-25");
    expect(starts.filter((line) => line.startsWith("dotenv"))).toHaveLength(1);
  });

  it("agrees on an older version with a server that insists on it", async () => {
    expect((await raw("old and strict")).about.version).toBe("2024-11-05");
  });
});

describe("a server over stdio that goes wrong", () => {
  it("shows what it writes beside messages", async () => {
    const lines: string[] = [];
    await raw("", { onLine: (stream, line) => lines.push(`${stream} ${line}`) });
    expect(lines).toEqual(["stdout dotenv: loaded 3 variables", "stdout {not json}"]);
  });

  it("fails the calls under way when it is killed, at once [servers-killed]", async () => {
    const upstream = await raw();
    const hanging = callTool(upstream, "hang").catch((error: unknown) => ({ error, at: performance.now() }));
    const killedAt = performance.now();
    process.kill(upstream.about.pid ?? 0, "SIGKILL");
    const { error, at } = (await hanging) as { error: Error; at: number };
    expect(error).toMatchObject({
      code: "UPSTREAM_UNAVAILABLE",
      message: expect.stringContaining("SIGKILL") as string,
    });
    expect(at - killedAt).toBeLessThan(1_000);
  });

  it("says how it ended and what it last said", async () => {
    await expect(callTool(await raw(), "exit")).rejects.toThrow(/code 7.*out of cheese/);
  });

  it("takes the last answer though no newline follows", async () => {
    expect(await callTool(await raw(), "unfinished")).toEqual({ n: 1 });
  });

  it("takes several messages in one line", async () => {
    const seen: string[] = [];
    const upstream = await raw("", { onNotification: (method) => seen.push(method) });
    expect(await callTool(upstream, "batch")).toEqual({ n: 1 });
    expect(seen).toEqual(["notifications/tools/list_changed"]);
  });

  it("is over when it closes its output", async () => {
    const upstream = await raw("ignores the end");
    await expect(callTool(upstream, "close output")).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
  });

  it("is refused more input when it reads none", async () => {
    const upstream = await raw("ignores the end");
    await callTool(upstream, "stop reading");
    const text = "x".repeat(20 * 1024 * 1024);
    const hanging = callTool(upstream, "echo", { text }, { ms: 300 }).catch(() => {});
    await expect(callTool(upstream, "echo", { text })).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" });
    await hanging;
  });

  it("does not keep another from being answered while it floods", async () => {
    const [flooding, calm] = await Promise.all([raw(), raw()]);
    const flood = callTool(flooding, "flood");
    expect(await callTool(calm, "echo", { text: "here" }, { ms: 2_000 })).toBeDefined();
    await flood;
  });

  it.each(["while :; do echo y; done", "while :; do echo y >&2; done", "cat /dev/zero"])(
    "does not keep another from being answered while it runs %s",
    async (script) => {
      const calm = await raw();
      const flood = start("sh", ["-c", script], { deadline: new Deadline(600) });
      const answers = async () => {
        for (let call = 0; call < 20; call++) await callTool(calm, "echo", {}, { ms: 500 });
      };
      await Promise.all([expect(flood).rejects.toMatchObject({ code: "UPSTREAM_UNAVAILABLE" }), answers()]);
    },
  );

  it("takes what it started along when it is closed, even what hides in a group of its own", async () => {
    const children: number[] = [];
    const onLine = (_: string, line: string) => {
      const child = /^child (\d+)/.exec(line)?.[1];
      if (child) children.push(Number(child));
    };
    const upstream = await raw("leaves a child", { onLine });
    await expect.poll(() => children).toHaveLength(1);
    expect(children.every(isAlive)).toBe(true);
    await upstream.close();
    await expect.poll(() => children.some(isAlive)).toBe(false);
  });

  it("leaves nothing behind a wrapper, though the server ignores every request to end", async () => {
    const wrapper = await start("sh", ["-c", `"${NODE}" "${RAW}" "ignores the end"; true`]);
    expect(await callTool(wrapper, "echo", { text: "a" }, { relay: relayThat() })).toBeDefined();
    await wrapper.close();
    expect(isAlive(wrapper.about.pid ?? 0)).toBe(false);
  });
});

describe.runIf(process.platform === "linux")("when we are killed ourselves", () => {
  it("no server is left, nor what one has started, whatever it ignores [servers-no-orphan]", async () => {
    const host = spawn(NODE, [fixture("host.ts")], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(createInterface({ input: host.stdout }), "line")) as [string];
    const pids = JSON.parse(line) as number[];
    expect(pids.length).toBeGreaterThanOrEqual(4);
    expect(pids.every(isAlive)).toBe(true);
    host.kill("SIGKILL");
    await expect.poll(() => pids.filter(isAlive), { timeout: 5_000 }).toEqual([]);
  });

  it("a program that is done is not kept from its end by servers that are connected", async () => {
    const host = spawn(NODE, [fixture("host.ts"), "return"], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(createInterface({ input: host.stdout }), "line")) as [string];
    const pids = JSON.parse(line) as number[];
    expect(await once(host, "exit")).toEqual([0, null]);
    await expect.poll(() => pids.filter(isAlive), { timeout: 5_000 }).toEqual([]);
  });
});

it("asks whoever is told to decide when several requests could be meant, and nobody's client [servers-own-client]", async () => {
  const asked: string[] = [];
  const onQuestion = async (method: string) => {
    asked.push(method);
    return { action: "cancel" };
  };
  const upstream = await raw("", { onQuestion });
  const relay = () => relayThat({ ask: () => Promise.reject(new Error("must not be asked")) });
  const hanging = callTool(upstream, "hang", {}, { relay: relay(), ms: 1_000 }).catch(() => {});
  const got = await callTool(upstream, "ask", { method: "elicitation/create" }, { relay: relay() });
  expect(got).toEqual({ got: { action: "cancel" } });
  expect(asked).toEqual(["elicitation/create"]);
  await hanging;
});
