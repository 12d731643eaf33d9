import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { findCgroupBases } from "./cgroup-bases.ts";
import { type ControlGroup, membersOf, openControlGroups } from "./cgroup.ts";
import { processStart } from "./process-identity.ts";

const groups = await openControlGroups();
const LIMITS = { memoryBytes: 48 * 1024 * 1024, tasks: 16, cpus: 1 };
if ("problem" in groups && process.env["DYNAMIC_MCP_REQUIRE_PARTS"] === "1" && process.getuid?.() === 0) {
  throw new Error(`control groups are required: ${groups.problem}`);
}

async function runIn(group: ControlGroup, script: string): Promise<{ code: number | null; out: string }> {
  const { command, args } = group.join("/bin/sh", ["-c", script]);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"], env: {} });
  let out = "";
  child.stdout.on("data", (chunk) => (out += String(chunk)));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out: out.trim() };
}

describe.skipIf("problem" in groups)("control groups of our own", () => {
  if ("problem" in groups) return;

  it("have who joins in them from its first instruction, and are gone when they are removed", async () => {
    const group = groups.make(LIMITS);
    const { out } = await runIn(group, "cat /proc/self/cgroup; env");
    expect(out).toContain(`dynamic-mcp-${process.pid}-`);
    expect(out).not.toMatch(/PWD=(?!\/)/);
    expect(group.ranOutOfMemory()).toBe(false);
    await group.remove();
    expect((await runIn(group, "echo ran")).out).toBe("");
  });

  it("hold the memory of all in them together", async () => {
    const group = groups.make(LIMITS);
    const { code } = await runIn(group, "head -c 200000000 /dev/zero | tail -c 200000000 >/dev/null; exit $?");
    expect(code).not.toBe(0);
    expect(group.ranOutOfMemory()).toBe(true);
    await group.remove();
  });

  it("hold the number of processes: a fork bomb stays small", async () => {
    const group = groups.make(LIMITS);
    const { out } = await runIn(
      group,
      "n=0; while [ $n -lt 60 ]; do sleep 0.2 & n=$((n+1)); done 2>/dev/null; wait; echo all",
    );
    expect(out).not.toBe("all");
    await group.remove();
  });

  it("that a dead server left are removed at the next start, those of living ones are not", async () => {
    const bases = [...new Set(findCgroupBases()?.folders.values())];
    const dead = `dynamic-mcp-${process.pid}-1-1`; // our number, but another start
    const living = `dynamic-mcp-${process.ppid}-${processStart(process.ppid)}-1`;
    for (const base of bases) for (const name of [dead, living]) mkdirSync(`${base}/${name}`);
    await openControlGroups();
    expect(bases.map((base) => existsSync(`${base}/${dead}`))).toEqual(bases.map(() => false));
    expect(bases.map((base) => existsSync(`${base}/${living}`))).toEqual(bases.map(() => true));
    const { rmdirSync } = await import("node:fs");
    for (const base of bases) rmdirSync(`${base}/${living}`);
  });
});

describe("those who may be ended of whom a group lists", () => {
  it("are never ourselves, nor what would mean our whole process group", () => {
    expect(membersOf(`0\n${process.pid}\n4194303\n0\n`)).toEqual([4_194_303]);
    expect(membersOf("")).toEqual([]);
    expect(membersOf("-1\nx\n")).toEqual([]);
  });
});
