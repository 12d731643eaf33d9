/** Docker as its users have it on the command line: the floor of what we do over its API. */
import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import { testDocker } from "../../test/support/docker.ts";
import { runToEnd } from "./timing.ts";

/** Nothing but what finds the program and the daemon. */
const ENV: NodeJS.ProcessEnv = {};
for (const name of ["PATH", "DOCKER_HOST"]) if (process.env[name] !== undefined) ENV[name] = process.env[name];

/** Its output goes nowhere. @throws Error when it fails */
export const runDocker = (...args: string[]) => runToEnd("docker", args, ENV);

/** @returns what it prints, by words */
export async function askDocker(...args: string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)("docker", args, { env: ENV });
  return stdout.split(/\s+/).filter((word) => word !== "");
}

/**
 * Makes the project's test image when it is not there.
 *
 * @returns its name, or why nothing can be measured. Where every part is required it throws instead
 */
export async function findImage(): Promise<{ image: string } | { problem: string }> {
  const found = await testDocker("node");
  if (!found) return { problem: "no Docker daemon answers" };
  found.client.close();
  try {
    await runDocker("version");
  } catch {
    return { problem: "there is no docker command, which is the floor" };
  }
  return { image: found.images.node };
}

export interface ContainerCount {
  /** Those that are there now, as far as the daemon has told. */
  now(): number;
  /** Most that were there at once. */
  most(): number;
  stop(): void;
}

/**
 * Counts containers with a label by the daemon's own account, from their making to their removal.
 *
 * @param since ms since 1970 by the daemon's clock: what was made after that is counted, however late the account begins
 */
export function countContainers(label: string, since: number): ContainerCount {
  const filters = ["type=container", "event=create", "event=destroy", `label=${label}`];
  const args = [
    "events",
    "--since",
    String(since / 1_000),
    "--format",
    "{{.Action}}",
    ...filters.flatMap((filter) => ["--filter", filter]),
  ];
  const events = spawn("docker", args, { env: ENV, stdio: ["ignore", "pipe", "ignore"] });
  let [now, most, rest] = [0, 0, ""];
  events.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      now += line === "create" ? 1 : -1;
      most = Math.max(most, now);
    }
  });
  return { now: () => now, most: () => most, stop: () => void events.kill() };
}
