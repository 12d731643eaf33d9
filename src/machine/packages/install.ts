import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import { type Child, spawnChild } from "../process.ts";
import { bubblewrapJail, type InstallerJail, permissionsJail } from "./installer-jail.ts";
import type { InstallerAnswer, InstallerTask } from "./installer.ts";
import type { Unpacked } from "./unpack.ts";

const MAX_ANSWER_BYTES = 64 * 1024;
const STDERR_BYTES = 4_000;
const READY_WITHIN_MS = 10_000;
/** Beyond what the largest layer of honest packages takes, by far. */
const INSTALL_WITHIN_MS = 120_000;

/**
 * Unpacks in the jailed process.
 *
 * @param archives folder that holds the archives, already checked
 * @throws PACKAGE_NOT_ALLOWED, PACKAGE_TOO_LARGE, PACKAGE_NATIVE; STORE_UNAVAILABLE when it cannot be written; the deadline's error
 */
export async function install(
  task: InstallerTask,
  archives: string,
  jail: InstallerJail,
  deadline: Deadline,
): Promise<Unpacked> {
  const own = deadline.child(INSTALL_WITHIN_MS);
  const run = start(jail, task.folder, archives);
  const stopListening = own.onEnd(() => run.child.kill());
  try {
    await run.ready;
    run.child.send(frameOf(task));
    const answer = await run.answered;
    own.throwIfEnded();
    return await unpackedOf(answer, run.child, task);
  } catch (error) {
    deadline.throwIfEnded();
    own.throwIfEnded();
    throw error;
  } finally {
    stopListening();
    own.close();
    run.child.kill();
    await run.child.exited;
  }
}

/**
 * The best jail that works here, tried for real.
 *
 * @param folder in which something can be made for the trial
 */
export async function findInstallerJail(folder: string): Promise<InstallerJail> {
  if (process.platform !== "linux") return permissionsJail();
  const jail = await bubblewrapJail();
  const trial = mkdtempSync(join(realpathSync(folder), "probe-"));
  const run = start(jail, trial, trial);
  try {
    await run.ready;
    return jail;
  } catch {
    return permissionsJail();
  } finally {
    run.child.kill();
    await run.child.exited;
    rmSync(trial, { recursive: true, force: true });
  }
}

interface Run {
  child: Child;
  ready: Promise<void>;
  /** @returns undefined when it ended without one */
  answered: Promise<InstallerAnswer | undefined>;
}

function start(jail: InstallerJail, folder: string, archives: string): Run {
  let onReady = () => {};
  let onAnswer: (answer: InstallerAnswer | undefined) => void = () => {};
  const child = spawnChild({
    ...jail.command(folder, archives),
    maxFrameBytes: MAX_ANSWER_BYTES,
    stderrBytes: STDERR_BYTES,
    onFrame(bytes) {
      const answer = JSON.parse(Buffer.from(bytes).toString("utf8")) as InstallerAnswer;
      if (answer.state === "ready") onReady();
      else onAnswer(answer);
    },
  });
  child.hold(true);
  const answered = new Promise<InstallerAnswer | undefined>((resolve) => {
    onAnswer = resolve;
    void child.exited.then(() => resolve(undefined));
  });
  const ready = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => child.kill(), READY_WITHIN_MS);
    void child.exited.then(({ reason, code, signal, stderr }) => {
      clearTimeout(timer);
      reject(new Error(`the installer did not start (${reason}, ${signal ?? code}): ${stderr}`));
    });
    onReady = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  ready.catch(() => {}); // whoever waits for it hears of it
  return { child, ready, answered };
}

const frameOf = (task: InstallerTask) => [Buffer.from(JSON.stringify(task), "utf8")];

async function unpackedOf(answer: InstallerAnswer | undefined, child: Child, task: InstallerTask): Promise<Unpacked> {
  if (answer === undefined || answer.state === "ready") {
    const { reason, code, signal, stderr } = await child.exited;
    throw new Error(`the installer ended without an answer (${reason}, ${signal ?? code}): ${stderr}`);
  }
  switch (answer.state) {
    case "done":
      return answer.unpacked;
    case "refused":
      throw new DynamicMcpError(answer.code, answer.message, { data: answer.data });
    case "failed":
      throw cannotWrite({ code: answer.code, message: answer.message } as NodeJS.ErrnoException, task.folder);
  }
}

/** A fault of the file system under our folder, in words that say what to do. */
export function cannotWrite(cause: NodeJS.ErrnoException, folder: string): DynamicMcpError {
  const why = WHY[cause.code ?? ""] ?? `the file system says ${cause.code ?? cause.message}`;
  const text = `packages could not be kept: ${why}. The operator should look at the folder of packages (MCP_PACKAGES_DIR)`;
  return new DynamicMcpError("STORE_UNAVAILABLE", text, { data: { reason: cause.code ?? "unknown" }, cause: new Error(`${folder}: ${cause.message}`) }); // prettier-ignore
}

const WHY: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the disk is read-only",
  EACCES: "they may not be written there",
  EPERM: "they may not be written there",
  EMFILE: "too many files are open",
};
