import type { Deadline } from "../../core/deadline.ts";
import type { DockerBase } from "./docker-base.ts";
import { createShellOutput } from "./shell-output.ts";

/** Says that all went well: a daemon tells exit codes only to who asks again. */
const DONE = "done";
const MAX_OUTPUT_BYTES = 4_000;

/**
 * Runs a command of ours in a container and writes to its input: for what is too large for the agent's lines. It is in
 * the container, as the container's user: so whatever links lie there, nothing outside can be reached through them.
 *
 * @param command ends by printing `done`
 * @returns what it complained about, undefined when all went well
 * @throws DockerError when the container is not there; the deadline's error
 */
export async function feed(
  base: DockerBase,
  containerId: string,
  command: readonly string[],
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  deadline: Deadline,
): Promise<string | undefined> {
  const { execs } = base.client;
  const { signal } = deadline;
  const output = createShellOutput(MAX_OUTPUT_BYTES);
  const id = await execs.create(
    containerId,
    { Cmd: command, AttachStdin: true, AttachStdout: true, AttachStderr: true },
    { signal },
  );
  const stream = await execs.start(
    id,
    {
      onStdout: (chunk) => output.take("stdout", Buffer.from(chunk)),
      onStderr: (chunk) => output.take("stderr", Buffer.from(chunk)),
    },
    { signal },
  );
  const forget = deadline.onEnd(() => stream.destroy());
  let isOver = false;
  void stream.ended.then(() => (isOver = true));
  try {
    for await (const chunk of input) {
      if (isOver) break;
      if (!stream.write(chunk)) await stream.drained();
    }
    stream.endInput();
    const broken = await stream.ended;
    deadline.throwIfEnded();
    if (output.textOf("stdout").trim() === DONE) return undefined;
    return output.textOf("stderr").trim() || broken?.message || "it ended half-way";
  } finally {
    forget();
    stream.destroy();
  }
}
