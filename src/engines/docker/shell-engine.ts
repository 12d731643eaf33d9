import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import { raced } from "../../machine/docker/docker.ts";
import { daemonUnavailable, DockerError } from "../../machine/docker/docker-error.ts";
import type { DockerStream } from "../../machine/docker/stream.ts";
import type { Shell, ShellEngine } from "../shells.ts";
import type { DockerBase } from "./docker-base.ts";
import { createDockerShell } from "./shell.ts";
import { createShellChannel } from "./shell-channel.ts";
import { type ShellLimits, shellSpec } from "./shell-spec.ts";

export type DockerShellOptions = Partial<ShellLimits>;

/** As a shell says it, and the daemon: the program is not there, or cannot be run. */
const NOT_FOUND: ReadonlySet<number> = new Set([126, 127]);

/** Shells are containers: hardened, without network, with folders in memory. `base` stays the caller's. */
export function createDockerShellEngine(base: DockerBase, options: DockerShellOptions = {}): ShellEngine {
  const limits: ShellLimits = { memoryMiB: 512, cpus: 1, ...options };
  const { containers } = base.client;

  async function create(
    name: string,
    image: string,
    deadline: Deadline,
    tell: (text: string) => void,
  ): Promise<string> {
    const make = async () => {
      const found = await base.images.find(image, deadline, tell);
      // Not with the signal: what is made under way has to be known, to be removed.
      return containers.create(shellSpec(base, found, limits), { name });
    };
    try {
      return await make();
    } catch (error) {
      if (!(error instanceof DockerError) || error.status !== 404) throw error;
      base.images.forget(image); // it was removed since it was found
      return make();
    }
  }

  async function start(containerId: string, image: string, deadline: Deadline): Promise<Shell> {
    const { signal } = deadline;
    let stream: DockerStream | undefined;
    const channel = createShellChannel(
      (text) => void stream?.write(Buffer.from(text, "latin1")),
      () => stream?.destroy(), // and with it the shell: nobody has anything of what it writes
    );
    try {
      stream = await containers.attach(containerId, channel.handlers, { signal });
      await containers.start(containerId, { signal });
      stream.write(Buffer.from(channel.greeting, "latin1"));
      const broken = stream.ended.then(() => {
        throw unusable();
      });
      await raced(Promise.race([channel.ready, broken]), signal);
      stream.hold(false);
      return createDockerShell({ base, image, containerId, channel, stream });
    } catch (error) {
      stream?.destroy();
      if (!(error instanceof DockerError)) throw error;
      const facts = await containers.inspect(containerId);
      if (NOT_FOUND.has(facts?.exitCode ?? 0)) throw unusable(error);
      throw daemonUnavailable(`the Docker daemon does not start shells: ${error.message}`, error);
    }
  }

  return {
    isAvailable: () => base.availability.isAvailable(),
    onChange: (listener) => base.availability.onChange(listener),

    async open({ id, image = base.defaultImage }, deadline, onProgress) {
      deadline.throwIfEnded();
      await base.open(deadline.signal);
      let containerId: string | undefined;
      try {
        containerId = await create(id, image, deadline, onProgress);
        base.made(containerId);
        deadline.throwIfEnded();
        return await start(containerId, image, deadline);
      } catch (error) {
        if (containerId !== undefined) await base.remove(containerId);
        if (!(error instanceof DockerError)) throw error;
        throw daemonUnavailable(`the Docker daemon refused: ${error.message}`, error);
      }
    },
  };
}

function unusable(cause?: unknown): DynamicMcpError {
  const why = "there is no /bin/sh in this image that could be started: choose an image with a shell";
  return new DynamicMcpError("IMAGE_UNUSABLE", why, { cause });
}
