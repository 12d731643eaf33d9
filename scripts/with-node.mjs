#!/usr/bin/env node
/**
 * The way every npm script goes: finds a Node that is new enough (or fetches the pinned one), installs and builds
 * what is missing or stale, then runs the task. Plain JavaScript for Node 14 and newer, no dependencies.
 *
 *   node scripts/with-node.mjs <task> [arguments of the task]
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build, ensureBuild, ensureDependencies } from "./launch/fresh.mjs";
import { findNode } from "./launch/node.mjs";
import { TASKS } from "./launch/tasks.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
/** To stderr: stdout belongs to the task, which may speak a protocol there. */
const say = (line) => process.stderr.write(`dynamic-mcp: ${line}\n`);

async function main([name, ...args]) {
  const task = TASKS[name];
  if (!task) throw new Error(`no task "${name}"; there are: ${Object.keys(TASKS).join(", ")}`);
  const node = findNode(root, say);
  const place = { root, node, say };
  ensureDependencies(place);
  if (task.builds === "always") build(place);
  else if (task.builds) ensureBuild(place);

  const steps = task.steps(args);
  const failed = [];
  for (const [index, step] of steps.entries()) {
    const isLast = index === steps.length - 1;
    // Every part is run, so that one look shows all that is wrong; the last one's own summary ends the output.
    if (isLast && failed.length > 0) say(`failed: ${failed.join(", ")}`);
    const code = await run(node, step, isLast ? args : []);
    if (code !== 0) failed.push(step.title);
    process.exitCode = process.exitCode || code;
    if (wasStopped) break;
  }
}

let wasStopped = false;

/** @returns exit code of the child; 128 + number for a signal, as shells do */
function run(node, step, extra) {
  const program = step.bin === undefined ? path.join(root, step.file) : binOf(step.bin);
  const child = spawn(node, (step.node || []).concat(program, step.args || [], extra), {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH || ""}` },
  });
  const forward = (signal) => {
    wasStopped = true;
    // A terminal sends Ctrl-C to the whole group by itself; twice would mean "at once" to the program.
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      for (const name of signals) process.removeListener(name, forward);
      resolve(code === null ? 128 + (SIGNAL_NUMBERS[signal] || 0) : code);
    });
  });
}

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

/** The program file of a dev dependency; `package/name` where the program is called otherwise. */
function binOf(bin) {
  const [dependency, name = dependency] = bin.split("/");
  const home = path.join(root, "node_modules", dependency);
  const declared = JSON.parse(readFileSync(path.join(home, "package.json"), "utf8")).bin;
  return path.join(home, typeof declared === "string" ? declared : declared[name]);
}

main(process.argv.slice(2)).catch((error) => {
  say(error.message);
  process.exitCode = 1;
});
