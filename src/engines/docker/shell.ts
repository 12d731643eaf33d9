import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import { DockerError } from "../../machine/docker/docker-error.ts";
import type { DockerStream } from "../../machine/docker/stream.ts";
import type { ExecEnd, ExecOptions, Shell } from "../shells.ts";
import type { DockerBase } from "./docker-base.ts";
import { type ShellChannel, shellGone } from "./shell-channel.ts";
import { feed } from "./shell-feed.ts";
import { createShellFiles } from "./shell-files.ts";
import { createShellModules } from "./shell-modules.ts";
import { createShellOutput, type ShellOutput } from "./shell-output.ts";
import { MAX_COMMAND_BYTES, WORKING_FOLDER } from "./shell-program.ts";

export interface ShellParts {
  base: DockerBase;
  image: string;
  containerId: string;
  channel: ShellChannel;
  stream: DockerStream;
}

/** So long a command may take to die; then the whole shell goes with it. */
const DIE_WITHIN_MS = 900;

/** A shell whose container runs and whose agent has answered. */
export function createDockerShell({ base, image, containerId, channel, stream }: ShellParts): Shell {
  let isGone = false;
  let wasOutOfMemory = false;
  let stopping: Promise<void> | undefined;

  const gone = stream.ended.then(async () => {
    isGone = true;
    const facts = await base.client.containers.inspect(containerId, { timeoutMs: 2_000 }).catch(() => undefined);
    wasOutOfMemory = facts?.isOomKilled === true;
    channel.lose();
    await base.remove(containerId);
  });

  function stop(): Promise<void> {
    stopping ??= (async () => {
      isGone = true;
      channel.lose();
      stream.destroy();
      await gone;
    })();
    return stopping;
  }

  /** A command with an end that always comes: by itself, at its limit, with the call, or with the shell. */
  async function execute(command: string, output: ShellOutput, options: Omit<ExecOptions, "maxOutputBytes">) {
    if (isGone) throw shellGone();
    options.deadline.throwIfEnded();
    const startedAt = performance.now();
    const running = channel.run(command, (from, bytes) => output.take(from, bytes));
    let stopped: ExecEnd["stopped"];
    let lostTimer: NodeJS.Timeout | undefined;
    const end = (why: "timeout" | "ended") => {
      if (stopped) return;
      stopped = why;
      running.kill();
      lostTimer = setTimeout(() => void stop(), DIE_WITHIN_MS);
    };
    stream.hold(true);
    const timer = setTimeout(() => end("timeout"), options.timeoutMs);
    const forget = options.deadline.onEnd(() => end("ended"));
    const { how, exitCode, isOutOfMemory, left } = await running.ended;
    forget();
    clearTimeout(timer);
    clearTimeout(lostTimer);
    stream.hold(false);
    const isShellLost = how === "lost" || left > 0;
    if (left > 0) void stop();
    if (!stopped && (isOutOfMemory || (how === "lost" && wasOutOfMemory))) stopped = "out-of-memory";
    const durationMs = Math.round(performance.now() - startedAt);
    return {
      ...(how === "exited" && exitCode !== undefined && { exitCode }),
      ...(stopped && { stopped }),
      ...(isShellLost && { isShellLost }),
      durationMs,
    } as const;
  }

  async function exec(command: string, options: ExecOptions): Promise<ExecEnd> {
    assertCommand(command);
    const output = createShellOutput(options.maxOutputBytes);
    const end = await execute(command, output, options);
    const [stdout, stderr] = [output.textOf("stdout"), output.textOf("stderr")];
    return { ...end, stdout, stderr, droppedBytes: output.droppedBytes };
  }

  const folder = () => channel.folder || WORKING_FOLDER;
  const means = {
    folder,
    /** A command of ours: it has the time of the call. @throws the deadline's error; SHELL_NOT_FOUND */
    async command(text: string, output: ShellOutput, deadline: Deadline): Promise<number> {
      const end = await execute(text, output, { deadline, timeoutMs: deadline.remainingMs() + DIE_WITHIN_MS });
      deadline.throwIfEnded();
      if (end.exitCode === undefined) throw shellGone();
      return end.exitCode;
    },
    async feed(
      command: readonly string[],
      input: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
      deadline: Deadline,
    ) {
      if (isGone) throw shellGone();
      try {
        return await feed(base, containerId, command, input, deadline);
      } catch (error) {
        throw error instanceof DockerError ? shellGone() : error;
      }
    },
  };
  const files = createShellFiles(means);

  return {
    image,
    gone,
    stop,
    exec,
    get folder() {
      return folder();
    },
    runModule: createShellModules({ ...means, files, exec }),
    writeFiles: (all, deadline) => files.write(all, deadline),
    readFiles: (paths, maxBytes, deadline) => files.read(paths, maxBytes, deadline),
  };
}

function assertCommand(command: string): void {
  if (command.includes("\0"))
    throw new DynamicMcpError("INVALID_ARGUMENTS", "a command must not hold a zero character");
  const bytes = Buffer.byteLength(command);
  if (bytes <= MAX_COMMAND_BYTES) return;
  const why = `a command is at most ${MAX_COMMAND_BYTES} bytes long, got ${bytes}: write a file, and run that`;
  throw new DynamicMcpError("INVALID_ARGUMENTS", why, { data: { maxBytes: MAX_COMMAND_BYTES } });
}
