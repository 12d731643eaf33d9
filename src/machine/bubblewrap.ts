import { execFile } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

/**
 * A jail of Linux namespaces by bubblewrap: no network, its own processes, an empty world of read-only files besides a
 * bounded `/tmp`, no capabilities, user and group 65534. What is started in it dies with us.
 *
 * As root the program inside is really user 65534 (`setpriv` gives the rights up inside of the jail, after the files of
 * the jail were bound); as an ordinary user, in a user namespace, it only seems so and has that user's rights to what the
 * jail shows: nothing but what is bound.
 */
export interface Jail {
  /** How it holds its inmates, in words. */
  readonly kind: "bubblewrap as user 65534" | "bubblewrap in a user namespace";
  /**
   * What to start for a program inside. Start it with an empty environment: in a user namespace the program can read that
   * of bubblewrap itself.
   */
  command(inmate: Inmate): { command: string; args: string[] };
}

export interface Inmate {
  /** Absolute path inside, and its arguments. */
  program: readonly string[];
  /** What it sees of this machine, read-only: here and inside, both absolute. */
  files: readonly (readonly [here: string, inside: string])[];
  /** All of its environment. */
  env: Readonly<Record<string, string>>;
  /** Most that its `/tmp` holds. */
  tmpBytes: number;
}

export interface JailOptions {
  /** Its file; default: where distributions put it. */
  bubblewrap?: string;
  /** This kind or none; default: the strongest that works. */
  kind?: Jail["kind"];
}

const run = promisify(execFile);
const NOBODY = "65534";
const PROBE_MS = 10_000;
/** Whose PATH we have is not for this room to ask; distributions put them here. */
const PROGRAM_FOLDERS = ["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin", "/run/current-system/sw/bin"];
const NODE_INSIDE = "/usr/bin/node";
const SETPRIV_INSIDE = "/usr/bin/setpriv";

/** Against what the kernel does not count otherwise. Of one process each; the last of all that the user has. */
const RLIMITS = ["--core=0", "--nofile=512", "--fsize=67108864", "--cpu=900", "--nproc=4096"];

/**
 * The strongest jail that really works here, tried by running Node in it.
 *
 * @returns the jail, or why there is none and what to do, for operators
 */
export async function findJail(options: JailOptions = {}): Promise<Jail | { problem: string }> {
  if (process.platform !== "linux") return { problem: "a jail needs Linux with bubblewrap; elsewhere use docker" };
  const bubblewrap = options.bubblewrap ?? findProgram("bwrap");
  if (bubblewrap === undefined || !existsSync(bubblewrap)) {
    return { problem: "bubblewrap is not installed: install the package bubblewrap, version 0.7 or newer" };
  }
  const node = await findNode();
  const setpriv = process.getuid?.() === 0 ? findProgram("setpriv") : undefined;
  const giveUpRights = setpriv === undefined ? undefined : await bindingsOf(setpriv, SETPRIV_INSIDE);
  const prlimit = findProgram("prlimit");
  let problem = "";
  for (const asNobody of giveUpRights ? [giveUpRights, undefined] : [undefined]) {
    for (const limiter of prlimit === undefined ? [undefined] : [prlimit, undefined]) {
      const jail = jailOf(bubblewrap, asNobody, limiter);
      if (jail.kind !== (options.kind ?? jail.kind)) continue;
      const found = await problemOf(jail, node);
      if (found === undefined) return jail;
      problem = found;
    }
  }
  return { problem: `bubblewrap cannot make a jail here (${problem}). ${ADVICE}` };
}

const ADVICE =
  "It needs version 0.7 or newer and leave to make namespaces: on Ubuntu 24.04 and newer an AppArmor profile for bwrap " +
  "or `sysctl kernel.apparmor_restrict_unprivileged_userns=0`; on hardened systems " +
  "`sysctl kernel.unprivileged_userns_clone=1`; in a container a seccomp profile that allows them";

function findProgram(name: string): string | undefined {
  return PROGRAM_FOLDERS.map((folder) => `${folder}/${name}`).find((file) => existsSync(file));
}

/** Node as it is seen inside: where its binary is, and what has to be bound for it. */
export interface NodeInJail {
  program: string;
  files: Inmate["files"];
}

/** The Node that we run on ourselves. */
export async function findNode(): Promise<NodeInJail> {
  return { program: NODE_INSIDE, files: await bindingsOf(realpathSync(process.execPath), NODE_INSIDE) };
}

/** A program and the libraries that it is linked with, which its loader looks for where they are here. */
async function bindingsOf(binary: string, inside: string): Promise<Inmate["files"]> {
  let libraries: string[] = [];
  try {
    const { stdout } = await run("ldd", [binary], { env: {}, timeout: PROBE_MS });
    libraries = stdout.match(/(?<=\s)\/[^\s:]+(?=\s\(0x)/g) ?? [];
  } catch {
    // There is no ldd, or it does not take this one.
  }
  if (libraries.length === 0) libraries = ["/lib", "/lib64", "/usr/lib"].filter((folder) => existsSync(folder));
  return [[binary, inside] as const, ...libraries.map((file) => [file, file] as const)];
}

/**
 * @param giveUpRights the files of `setpriv`, for root; without it a user namespace
 * @param prlimit      sets the limits of each process, where there is one
 */
function jailOf(bubblewrap: string, giveUpRights: Inmate["files"] | undefined, prlimit: string | undefined): Jail {
  const user = giveUpRights
    ? ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    : ["--unshare-user", "--uid", NOBODY, "--gid", NOBODY];
  const drop = giveUpRights
    ? [SETPRIV_INSIDE, "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--inh-caps=-all", "--"]
    : [];
  return {
    kind: giveUpRights ? "bubblewrap as user 65534" : "bubblewrap in a user namespace",
    command({ program, files, env, tmpBytes }) {
      const shown = [...new Map([...(giveUpRights ?? []), ...files].map((each) => [each[1], each])).values()];
      const args = [
        ...["--die-with-parent", "--new-session", "--cap-drop", "ALL", ...user],
        ...["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
        ...["--hostname", "sandbox", "--clearenv"],
        ...Object.entries(env).flatMap(([name, value]) => ["--setenv", name, value]),
        ...foldersAbove(shown).flatMap((folder) => ["--perms", "0755", "--dir", folder]),
        ...shown.flatMap(([here, inside]) => ["--ro-bind", here, inside]),
        ...["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"],
        ...["--perms", "1777", "--size", String(tmpBytes), "--tmpfs", "/tmp"],
        ...["--chmod", "0755", "/", "--remount-ro", "/", "--chdir", "/", "--", ...drop, ...program],
      ];
      return prlimit === undefined
        ? { command: bubblewrap, args }
        : { command: prlimit, args: [...RLIMITS, bubblewrap, ...args] };
    },
  };
}

/** Outermost first. */
function foldersAbove(files: Inmate["files"]): string[] {
  const found = new Set<string>();
  for (const [, inside] of files) {
    for (let at = path.posix.dirname(inside); at !== "/"; at = path.posix.dirname(at)) found.add(at);
  }
  return [...found].toSorted((a, b) => a.length - b.length);
}

/** What the inside of a jail looks like when it holds. */
const LOOK = `
  const fs = require("node:fs");
  const fails = (run) => { try { run(); return false } catch { return true } };
  const status = fs.readFileSync("/proc/self/status", "utf8");
  process.stdout.write(JSON.stringify({
    uid: process.getuid(),
    noRights: /^CapInh:\\s*0+$/m.test(status) && /^CapEff:\\s*0+$/m.test(status) && /^NoNewPrivs:\\s*1$/m.test(status),
    ownProcesses: fs.readdirSync("/proc").filter((name) => Number(name) > 0).length < 5,
    noNetwork: fs.readFileSync("/proc/net/dev", "utf8").trim().split("\\n").slice(2).every((line) => /^\\s*lo:/.test(line)),
    noFiles: !["/etc/passwd", "/home", "/root", "/var", "/sys"].some((name) => fs.existsSync(name)),
    readOnly: fails(() => fs.writeFileSync("/x", "")) && fails(() => fs.writeFileSync("/dev/x", "")),
    scratch: !fails(() => fs.writeFileSync("/tmp/x", "")) && fails(() => fs.writeFileSync("/tmp/x", Buffer.alloc(2e6))),
  }))`;
const HOLDS = { uid: 65_534, noRights: true, ownProcesses: true, noNetwork: true, noFiles: true, readOnly: true, scratch: true }; // prettier-ignore

/** Runs Node in it. @returns what is wrong with it, in words */
async function problemOf(jail: Jail, { program, files }: NodeInJail): Promise<string | undefined> {
  const inmate = { program: [program, "-e", LOOK], files, env: {}, tmpBytes: 1_000_000 };
  const { command, args } = jail.command(inmate);
  try {
    const { stdout } = await run(command, args, { env: {}, timeout: PROBE_MS, killSignal: "SIGKILL" });
    const seen = JSON.parse(stdout) as Record<string, unknown>;
    const wrong = Object.entries(HOLDS).filter(([name, expected]) => seen[name] !== expected);
    if (wrong.length === 0) return undefined;
    return `it does not hold: ${wrong.map(([name]) => `${name} is ${String(seen[name])}`).join(", ")}`;
  } catch (error) {
    const { stderr } = error as { stderr?: unknown };
    const told = typeof stderr === "string" && stderr.trim() !== "" ? stderr : String(error);
    return told.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  }
}
