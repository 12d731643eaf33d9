import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findInstallerJail } from "./install.ts";
import { type InstallerJail, permissionsJail } from "./installer-jail.ts";

const own = realpathSync(mkdtempSync(join(tmpdir(), "dynamic-mcp-jail-")));
const [folder, archives, secret] = [join(own, "layer"), join(own, "archives"), join(own, "secret")];
const server = createServer((socket) => socket.destroy());
let port = 0;

beforeAll(async () => {
  mkdirSync(folder);
  mkdirSync(archives);
  writeFileSync(secret, "secret");
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(own, { recursive: true });
});

const LOOK = `
const fs = require("fs"), [secret, folder] = process.argv.slice(1);
const fails = (run) => { try { run(); return false } catch { return true } };
const limits = fs.readFileSync("/proc/self/limits", "utf8");
const limit = (name) => new RegExp(name + " +([^ ]+)").exec(limits)[1];
console.log(JSON.stringify({
  programs: fs.readdirSync("/usr/bin"),
  missing: ["/etc", "/home", "/root", "/var", "/sys", "/bin", "/usr/share", secret].every((path) => !fs.existsSync(path)),
  readOnly: ["/x", "/dev/x", "/usr/bin/x"].map((path) => fails(() => fs.writeFileSync(path, ""))),
  own: !fails(() => fs.writeFileSync(folder + "/fine", "")),
  environment: Object.keys(process.env),
  limits: { core: limit("Max core file size"), open: limit("Max open files") },
}))`;

/** What code in the installer's place could do: each attempt gives `true`, or the code of its error. */
const ATTEMPTS = (own: string, folder: string, port: number) => `
const fs = require("fs"), out = {};
const attempt = (name, run) => { try { run(); out[name] = true } catch (error) { out[name] = error.code } };
attempt("read", () => fs.readFileSync(${JSON.stringify(join(own, "secret"))}));
attempt("write", () => fs.writeFileSync(${JSON.stringify(join(own, "evil"))}, ""));
attempt("spawn", () => require("child_process").execFileSync("true"));
attempt("thread", () => new (require("worker_threads").Worker)("", { eval: true }));
attempt("own", () => fs.writeFileSync(${JSON.stringify(join(folder, "fine"))}, ""));
const done = (value) => { out.network = value; console.log(JSON.stringify(out)); process.exit() };
try { require("net").connect(${port}, "127.0.0.1", () => done(true)).on("error", (e) => done(e.code)) } catch (e) { done(e.code) }
`;

function attempts(jail: InstallerJail | "none"): Record<string, unknown> {
  const code = ATTEMPTS(own, folder, port);
  if (jail === "none") return JSON.parse(execFileSync(process.execPath, ["-e", code], { encoding: "utf8" })) as Record<string, unknown>; // prettier-ignore
  const { command, args, env } = jail.command(folder, archives);
  const run = spawnSync(command, [...args.slice(0, -1), "-e", code], { env, encoding: "utf8" });
  return JSON.parse(run.stdout) as Record<string, unknown>;
}

describe("the installer's jail", () => {
  it("of permissions lets it write its folder, and nothing else of the machine [packages-contained]", () => {
    const denied = { read: "ERR_ACCESS_DENIED", write: "ERR_ACCESS_DENIED", spawn: "ERR_ACCESS_DENIED", thread: "ERR_ACCESS_DENIED" }; // prettier-ignore
    expect(attempts(permissionsJail())).toMatchObject({ ...denied, own: true });
  });

  it("of bubblewrap has no network either, nor the machine's other files, where it works", async ({ skip }) => {
    const jail = await findInstallerJail(own);
    if (jail.kind !== "bubblewrap") {
      if (process.env["DYNAMIC_MCP_REQUIRE_PARTS"] === "1") throw new Error("bubblewrap does not work here");
      skip("bubblewrap does not work here");
    }
    const found = attempts(jail);
    expect(found).toMatchObject({ own: true });
    expect(Object.keys(found).filter((name) => found[name] === true)).toEqual(["own"]);
    // Without Node's own permissions: what the namespaces and limits alone leave.
    const { command, args, env } = jail.command(folder, archives);
    const program = args.indexOf("--") + 2;
    const run = spawnSync(command, [...args.slice(0, program), "-e", LOOK, secret, folder], { env, encoding: "utf8" });
    expect(JSON.parse(run.stdout)).toEqual({
      programs: ["node"],
      missing: true,
      readOnly: [true, true, true],
      own: true,
      environment: expect.not.arrayContaining(["PATH"]) as string[],
      limits: existsSync("/usr/bin/prlimit") ? { core: "0", open: "256" } : (expect.anything() as object),
    });
  });

  it("is what holds it: without one all of that works", () => {
    expect(attempts("none")).toEqual({ read: true, write: true, spawn: true, thread: true, own: true, network: true });
  });
});
