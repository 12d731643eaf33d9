import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { ExecutionEngine } from "../engine.ts";
import { done, runBody } from "../fixtures/run-body.ts";
import { docker, openEngine } from "./fixtures/open-engine.ts";
import { guestFlags, nodeCommand } from "./node-program.ts";

describe.skipIf(!docker)("a program in a container's Node", () => {
  let engine: ExecutionEngine;
  beforeAll(() => void (engine = openEngine({ warm: 0 })));
  afterAll(() => engine.close());

  it("finds none of the globals that Node makes for what it evaluates", async () => {
    const body = `
      const names = [...args.names, "module", "exports", "__filename", "__dirname"];
      return [names.filter((name) => name in globalThis), typeof module, process.argv.slice(1), process.execArgv]`;
    const end = done(await runBody(engine, body, { args: { names: [...builtinModules] }, timeoutMs: 15_000 }));
    expect(JSON.parse(end.resultJson)).toEqual([["console", "crypto", "process"].filter((name) => builtinModules.includes(name)), "undefined", ["program", "stdio"], []]); // prettier-ignore
  });
});

const NEW_WALLS = new Set(["--freeze-flags-after-init", "--no-experimental-sqlite", "--disable-sigusr1"]);

describe("the command line of a guest", () => {
  it("lets the young generation start no larger than it may grow", () => {
    const of = (memoryMiB: number) =>
      guestFlags("24.0.0", { memoryMiB, cpus: 1, folder: "/tmp" }).filter((flag) => flag.includes("semi"));
    expect(of(16)).toEqual(["--min-semi-space-size=1", "--max-semi-space-size=1"]);
    expect(of(64)).toEqual(["--min-semi-space-size=2", "--max-semi-space-size=2"]);
    expect(of(512)).toEqual(["--min-semi-space-size=2", "--max-semi-space-size=16"]);
  });

  it("lets a guest write no file through V8's flags or SQLite, which both can without its flags", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "dynamic-mcp-guest-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const write = `
      const file = process.argv[1];
      try { new (require("node:sqlite").DatabaseSync)(file + ".db").exec("create table t(x)"); } catch {}
      const v8 = require("v8");
      v8.setFlagsFromString("--trace-turbo-cfg-file=" + file); v8.setFlagsFromString("--trace-turbo"); v8.setFlagsFromString("--trace-turbo-path=" + process.argv[2]);
      const work = new Function("a", "return a * 2"); for (let i = 0; i < 1e6; i++) work(i);`;
    const own = guestFlags(process.versions.node, { memoryMiB: 64, cpus: 1, folder: path.join(folder, "own") });
    const open = own.filter((flag) => !NEW_WALLS.has(flag));
    const writtenWith = async (flags: string[], name: string) => {
      const place = path.join(folder, name);
      await mkdir(place);
      spawnSync(process.execPath, [...flags, "-e", write, path.join(place, "file"), place]);
      return (await readdir(place)).filter((each) => each.startsWith("file")).toSorted();
    };
    expect(await writtenWith(open, "without")).toEqual(["file", "file.db"]);
    expect(await writtenWith(own, "with")).toEqual([]);
  });

  it("names only flags that the Node of an image knows", () => {
    const of = (version: string) =>
      guestFlags(version, { memoryMiB: 64, cpus: 1, folder: "/tmp" }).filter((flag) => NEW_WALLS.has(flag));
    expect(of("20.19.0")).toEqual(["--freeze-flags-after-init"]);
    expect(of("22.4.0")).toEqual(["--freeze-flags-after-init"]);
    expect(of("22.13.0")).toEqual(["--freeze-flags-after-init", "--no-experimental-sqlite"]);
    for (const version of ["22.14.0", "23.7.0", "24.0.0", "26.0.0"]) expect(of(version)).toEqual([...NEW_WALLS]);
  });

  it("has the program's arguments last", () => {
    expect(nodeCommand([], ["stdio", "again"]).slice(-2)).toEqual(["stdio", "again"]);
  });
});
