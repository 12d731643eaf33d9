import { type CommandRun, hasFailed, type ShellRun } from "../authored/shells/shells.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { ToolResult } from "../core/item.ts";
import type { JsonObject } from "../core/json.ts";
import { failedResult, structured } from "../core/results.ts";
import type * as Zod from "../core/zod.ts";
import { fileContent } from "./sandbox-shapes.ts";

/** What came of commands: for a model in the older tools' form, for programs as facts. */
export const runResult = (z: typeof Zod) =>
  z.looseObject({
    results: z.array(
      z.looseObject({
        command: z.string(),
        exitCode: z.int().exactOptional(),
        stdout: z.string(),
        stderr: z.string(),
        durationMs: z.int(),
        stopped: z.enum(["timeout", "ended", "out-of-memory"]).exactOptional(),
        droppedBytes: z.int().exactOptional(),
      }),
    ),
    failed: z.int().exactOptional().describe("Index of the first that failed"),
    cwd: z.string(),
    files: z.array(z.looseObject({ path: z.string() })).exactOptional(),
  });

/** @param showsCommands whether each output stands below its command */
export function resultOfRun(run: ShellRun, timeoutMs: number, showsCommands: boolean): ToolResult {
  const failed = run.runs.findIndex(hasFailed);
  const content: JsonObject = {
    results: run.runs.map(runContent),
    ...(failed >= 0 && { failed }),
    cwd: run.folder,
    ...(run.files.length > 0 && { files: run.files.map(fileContent) }),
    ...(run.isShellLost && { isShellLost: true }),
  };
  const blocks = run.runs.map((each) => block(each, timeoutMs, showsCommands));
  if (run.notRun > 0)
    blocks.push(`[${run.notRun === 1 ? "one more command was" : `${run.notRun} more commands were`} not run]`);
  if (run.isShellLost) blocks.push("[the shell is gone with all its files; start another with sandbox_initialize]");
  for (const { path, problem } of run.files) if (problem !== undefined) blocks.push(`[${problem || path}]`);
  const text = blocks.filter((each) => each !== "").join("\n");
  const first = run.runs[failed];
  if (!first) return structured(text || "JavaScript execution completed with no output.", content);
  const data: JsonObject = { failed, ...(first.exitCode !== undefined && { exitCode: first.exitCode }) };
  return { ...failedResult(codeOf(first), text, data), structuredContent: content };
}

function runContent(run: CommandRun): JsonObject {
  const { command, exitCode, stdout, stderr, durationMs, stopped, droppedBytes } = run;
  return {
    command,
    ...(exitCode !== undefined && { exitCode }),
    stdout,
    stderr,
    durationMs,
    ...(stopped && { stopped }),
    ...(droppedBytes > 0 && { droppedBytes }),
  };
}

function block(run: CommandRun, timeoutMs: number, showsCommand: boolean): string {
  const lines = [showsCommand ? `$ ${run.command}` : "", trimEnd(run.stdout), trimEnd(run.stderr)];
  if (run.droppedBytes > 0) lines.push(`[${run.droppedBytes} more bytes of output were dropped]`);
  if (run.stopped === "timeout")
    lines.push(`[stopped at the time limit of ${timeoutMs} ms, with all that it had started]`);
  if (run.stopped === "ended") lines.push("[stopped, because the call was ended]");
  if (run.stopped === "out-of-memory") lines.push("[the shell had used up its memory, and something was killed]");
  if (run.exitCode !== undefined && run.exitCode !== 0) lines.push(`[exit code ${run.exitCode}]`);
  return lines.filter((line) => line !== "").join("\n");
}

const trimEnd = (text: string) => text.replace(/\n+$/, "");

function codeOf({ stopped, isShellLost }: CommandRun): ErrorCode {
  if (stopped === "timeout") return "TIMEOUT";
  if (stopped === "out-of-memory") return "OUT_OF_MEMORY";
  if (stopped === "ended") return "CANCELLED";
  return isShellLost ? "SHELL_NOT_FOUND" : "PROCESS_EXITED";
}
