import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { findJail, findNode, type Jail } from "./bubblewrap.ts";

const KINDS = ["bubblewrap as user 65534", "bubblewrap in a user namespace"] as const;
const found = await Promise.all(KINDS.map(async (kind) => [kind, await findJail({ kind })] as const));
const jails = found.flatMap(([kind, jail]) => ("problem" in jail ? [] : [[kind, jail] as const]));
if (jails.length === 0 && process.env["DYNAMIC_MCP_REQUIRE_PARTS"] === "1") throw new Error("a jail is required");

/** Runs a program in Node, in the jail; without Node's own permissions. */
async function runIn(jail: Jail, code: string, files: [string, string][] = []): Promise<unknown> {
  const node = await findNode();
  const inmate = {
    program: [node.program, "-e", code],
    files: [...node.files, ...files],
    env: { A: "b" },
    tmpBytes: 1_000_000,
  };
  const { command, args } = jail.command(inmate);
  const { stdout } = await promisify(execFile)(command, args, { env: {} });
  return JSON.parse(stdout);
}
const show = (expression: string) => `process.stdout.write(JSON.stringify(${expression}))`;

describe.skipIf(jails.length === 0).each(jails)("a jail: %s", (_, jail) => {
  it("has the environment it is given, and no more", async () => {
    expect(await runIn(jail, show("process.env"))).toEqual({ A: "b", PWD: "/" });
  });

  it("shows the files it is given, for reading", async () => {
    const folder = mkdtempSync(join(tmpdir(), "dynamic-mcp-jail-"));
    try {
      writeFileSync(join(folder, "file"), "shown");
      const code = `const fs = require('fs'); let e; try { fs.writeFileSync('/given/here', 'x') } catch (error) { e = error.code } ${show("[fs.readFileSync('/given/here', 'utf8'), e, fs.existsSync(process.argv[1] ?? '/nothing')]")}`; // prettier-ignore
      expect(await runIn(jail, code, [[join(folder, "file"), "/given/here"]])).toEqual(["shown", "EROFS", false]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("has no way to what is outside, also without Node's permissions [engine-node-jail]", async () => {
    const code = `const fs = require('fs'); const tries = {
      kill: () => process.kill(1, 'SIGKILL'),
      mount: () => require('child_process').execFileSync('/usr/bin/mount'),
      shell: () => require('child_process').execFileSync('/bin/sh'),
      root: () => fs.readdirSync('/proc/1/root/etc'),
      environ: () => { if (fs.readFileSync('/proc/1/environ', 'utf8') === '') throw 1 },
      docker: () => fs.statSync('/var/run/docker.sock'),
      device: () => fs.openSync('/dev/sda'),
      shm: () => fs.writeFileSync('/dev/shm/x', 'x'),
      setuid: () => process.setuid(0),
      sys: () => fs.readdirSync('/sys'),
    };
    const got = []; for (const name in tries) try { tries[name](); got.push(name) } catch {} ${show("got.filter((name) => name !== 'kill')")}`; // prettier-ignore
    expect(await runIn(jail, code)).toEqual([]);
  });

  it("bounds its /tmp", async () => {
    const code = `const fs = require('fs'); let n = 0; try { for (;;) { fs.appendFileSync('/tmp/x', Buffer.alloc(1e5)); n++ } } catch (e) { ${show("[n, e.code]")} }`; // prettier-ignore
    const [count, error] = (await runIn(jail, code)) as [number, string];
    expect(error).toBe("ENOSPC");
    expect(count).toBeLessThanOrEqual(11);
  });
});

describe("where there is no bubblewrap", () => {
  it.each(["/nowhere/bwrap", "/etc/hostname", "/bin/false"])(
    "the problem says what to install: %s",
    async (bubblewrap) => {
      const jail = await findJail({ bubblewrap });
      expect(jail).toHaveProperty("problem");
      if ("problem" in jail) expect(jail.problem).toMatch(process.platform === "linux" ? /bubblewrap/ : /docker/);
    },
  );
});
