import { transform } from "esbuild";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { type FileHandle, mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makePipe } from "../../src/cli/fixtures/pipe.ts";

/** The built program as clients start it. */
const dist = fileURLToPath(new URL("../../dist/", import.meta.url));
const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } },
});
const LIST = JSON.stringify({ jsonrpc: "2.0", id: 2, method: "tools/list" });

let home = "";
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "dmcp-program-"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

interface Running {
  child: ChildProcessWithoutNullStreams;
  texts: { out: string; err: string };
  /** Exit code; a signal's name when it was killed. */
  ended: Promise<number | string | null>;
  /** Waits until stdout or stderr holds something; fails when the program ends before. */
  seen(what: RegExp, where: "out" | "err"): Promise<RegExpMatchArray>;
}

/** Starts a program with nothing of our own environment. */
function run(file: string, args: string[] = [], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [file, ...args], {
    env: { PATH: process.env["PATH"] ?? "", HOME: home, ...env },
  });
  const texts = { out: "", err: "" };
  const check = new Set<() => void>();
  for (const [where, stream] of [["out", child.stdout], ["err", child.stderr]] as const) {
    stream.on("data", (chunk) => {
      texts[where] += String(chunk);
      for (const each of check) each();
    });
  } // prettier-ignore
  child.stdin.on("error", () => {});
  const ended = new Promise<number | string | null>((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal));
  });
  return {
    child,
    texts,
    ended,
    seen: (what, where) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = texts[where].match(what);
          if (found) resolve(found);
        };
        check.add(look);
        look();
        void ended.then((code) =>
          reject(new Error(`ended with ${code} before ${String(what)}: ${texts.out}${texts.err}`)),
        );
      }),
  };
}

describe("the program", () => {
  it.each(["main.js", "index.js"])("serves stdio when %s is run, writes nothing else, and ends with its input", async (file) => {
    const { child, texts, ended, seen } = run(join(dist, file));
    child.stdin.write(`${INITIALIZE}\n${LIST}\n`);
    await seen(/"id":2/, "out");
    child.stdin.end();
    expect(await ended).toBe(0);
    const answers = texts.out.trim().split("\n").map((line) => JSON.parse(line) as { id: number; result: object });
    expect(answers.map(({ id }) => id)).toEqual([1, 2]);
    expect(texts.err).toBe("");
  }); // prettier-ignore

  it.each(["SIGTERM", "SIGINT"] as const)("says where it listens, and stops well at %s", async (signal) => {
    const { child, ended, seen } = run(join(dist, "main.js"), ["serve", "--transport", "http", "--port", "0"]);
    const [, url = ""] = await seen(/listens on (\S+)/, "err");
    await seen(/Ctrl-C/, "err");
    expect((await fetch(new URL("/livez", url))).status).toBe(200);
    child.kill(signal);
    expect(await ended).toBe(0);
  });

  it("stops when the client goes away without a word", async () => {
    const { child, ended, seen } = run(join(dist, "main.js"));
    child.stdin.write(`${INITIALIZE}\n`);
    await seen(/"id":1/, "out");
    child.stdin.destroy();
    expect(await ended).toBe(0);
  });

  it.skipIf(process.platform === "win32").each([
    ["settings", (pipe: string) => ["config", "explain", "--config", pipe]],
    ["variables", (pipe: string) => ["serve", "--dotenv", pipe]],
    ["arguments", (pipe: string) => ["call", "any.tool", "--args", `@${pipe}`]],
  ] as const)("ends on a signal while it waits for %s from a pipe that nobody writes", async (what, line) => {
    const pipe = join(home, what);
    makePipe(pipe);
    const { child, ended } = run(join(dist, "main.js"), line(pipe));
    // Without waiting, a pipe can be opened for writing only while somebody reads it.
    let writer: FileHandle | undefined;
    await expect
      .poll(async () => (writer = await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK).catch(() => undefined)))
      .toBeDefined();
    child.kill("SIGTERM");
    expect(await ended).toBe("SIGTERM");
    await writer?.close();
  });

  it("does not mind a reader that stops reading", async () => {
    const { child, texts, ended } = run(join(dist, "main.js"), ["config", "schema"]);
    child.stdout.destroy();
    expect([0, 130]).toContain(await ended);
    expect(texts.err).toBe("");
  });

  it("stops when it is told to, also when the client does not read what was written for it", async () => {
    const grace = ["--shutdown-grace-ms", "100", "--log-level", "debug"];
    const { child, ended, seen } = run(join(dist, "main.js"), grace);
    child.stdin.write(`${INITIALIZE}\n`);
    await seen(/"id":1/, "out");
    child.stdout.pause();
    for (let id = 100; id <= 160; id++) child.stdin.write(`${LIST.replace('"id":2', `"id":${id}`)}\n`);
    await seen(/"id":160/, "err");
    child.kill("SIGTERM");
    const [code] = (await once(child, "exit")) as [number | null];
    child.stdout.destroy();
    expect(code).toBe(0);
    await ended;
  });

  it("ends with the exit code of the fault", async () => {
    const wrong = run(join(dist, "main.js"), ["--prot", "1"]);
    expect(await wrong.ended).toBe(2);
    expect(wrong.texts.err).toContain("did you mean --port?");
    const unsafe = run(join(dist, "main.js"), ["--transport=http", "--host=0.0.0.0"]);
    expect(await unsafe.ended).toBe(2);
  });

  it("reads dynamic-mcp.json with comments and trailing commas, and says where a key is wrong", async () => {
    const folder = join(home, "configured");
    await mkdir(folder);
    const file = join(folder, "dynamic-mcp.json");
    const explain = async () => {
      const { texts, ended } = run(join(dist, "main.js"), ["config", "explain", "--json", "--data-dir", folder]);
      return { code: await ended, ...texts };
    };
    await writeFile(file, '// ours\n{ "settings": { "http": { "port": 4567, /* free */ }, }, }\n');
    const well = await explain();
    expect(well).toMatchObject({ code: 0, err: "" });
    expect(JSON.parse(well.out)).toMatchObject({
      settings: expect.arrayContaining([expect.objectContaining({ key: "http.port", value: 4567 })]),
    });
    await writeFile(file, '{\n  "settings": { "http": { "prot": 1 } }\n}\n');
    const wrong = await explain();
    expect(wrong).toMatchObject({ code: 2, out: "" });
    expect(JSON.parse(wrong.err)).toMatchObject({
      error: { code: "CONFIG_INVALID", data: { problems: [{ where: `${file}:2:27` }] } },
    });
    expect(wrong.err).toContain('did you mean \\"port\\"?');
  });

  it("reads a file of variables itself, and says so when it is not there", async () => {
    const { texts, ended } = run(join(dist, "main.js"), ["config", "explain", "--dotenv", join(home, "missing.env")]);
    expect(await ended).toBe(2);
    expect(texts.err).toContain("--dotenv: there is no file");
    await writeFile(join(home, "some.env"), "MCP_PORT=4568\nNODE_OPTIONS=--no-such-option\n");
    const well = run(join(dist, "main.js"), ["config", "explain", "--changed", "--dotenv", join(home, "some.env")]);
    expect(await well.ended).toBe(0);
    expect(well.texts.out).toContain("4568");
  });

  it("makes, shares and calls a tool from the command line", async () => {
    const main = async (...args: string[]) => {
      const { texts, ended } = run(join(dist, "main.js"), args);
      return { code: await ended, ...texts };
    };
    const code = "return args.text.toUpperCase()";
    expect(await main("tools", "create", "text.upper", "--description", "Upper case", "--code", code)).toMatchObject({
      code: 0,
    });
    expect(await main("call", "text.upper", "--args", '{"text":"hi"}')).toMatchObject({
      code: 0,
      out: expect.stringContaining("HI"),
    });
    const folder = join(home, "exported");
    expect(await main("tools", "export", folder)).toMatchObject({ code: 0 });
    expect(await readFile(join(folder, "text_upper.js"), "utf8")).toBe(code);
    expect(await main("tools", "delete", "text.upper")).toMatchObject({ code: 0 });
    expect(await main("call", "text.upper")).toMatchObject({ code: 1 });
    expect(await main("tools", "import", folder)).toMatchObject({ code: 0, out: "created    text.upper\n" });
    expect(await main("journal", "tail", "--tool", "text.upper")).toMatchObject({
      out: expect.stringMatching(/ done .*text\.upper/),
    });
  });

  it("takes in more tools at once than clients may make calls in a minute", async () => {
    const tools = Array.from({ length: 400 }, (_, index) => ({ name: `many.t${index}`, description: "One of many", code: "return 1" })); // prettier-ignore
    await writeFile(join(home, "tools.json"), JSON.stringify({ version: 1, tools }));
    const { texts, ended } = run(join(dist, "main.js"), ["tools", "import", join(home, "tools.json"), "--data-dir", join(home, "many"), "--dynamic-max-tools", "1000"]); // prettier-ignore
    expect({ code: await ended, err: texts.err }).toEqual({ code: 0, err: "" });
    expect(texts.out.match(/^created/gm)).toHaveLength(400);
  });

  it("says in one sentence which Node it needs [program-old-node]", async () => {
    const source = await readFile(new URL("../../src/main.ts", import.meta.url), "utf8");
    const { code } = await transform(source, { loader: "ts", format: "esm", define: { __MIN_NODE__: '"99.1.0"' } });
    const file = join(home, "main.mjs");
    await writeFile(file, code);
    const { texts, ended } = run(file);
    expect(await ended).toBe(1);
    expect(texts).toEqual({
      out: "",
      err: `dynamic-mcp needs Node 99.1.0 or newer; this is ${process.versions.node}.\n`,
    });
  });
});
