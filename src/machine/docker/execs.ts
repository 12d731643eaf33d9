import type { Daemon } from "./daemon.ts";
import { daemonUnavailable } from "./docker-error.ts";
import type { DockerStream, StreamHandlers } from "./stream.ts";
import type { CallOptions } from "./transport.ts";

/** Commands in a container that runs. */
export interface Execs {
  /** @returns its id. @throws DockerError 404: no such container, 409: it does not run */
  create(containerId: string, spec: ExecSpec, options?: CallOptions): Promise<string>;
  /** Starts it, with its input and output. */
  start(id: string, handlers: StreamHandlers, options?: CallOptions): Promise<DockerStream>;
  inspect(id: string, options?: CallOptions): Promise<ExecFacts>;
}

/** In the API's own spelling. */
export interface ExecSpec {
  Cmd: readonly string[];
  Env?: readonly string[];
  User?: string;
  WorkingDir?: string;
  AttachStdin?: boolean;
  AttachStdout: boolean;
  AttachStderr: boolean;
}

export interface ExecFacts {
  isRunning: boolean;
  /** Absent while it runs. */
  exitCode?: number;
  /** In the daemon's own process namespace; 0 when it is not known. */
  pid: number;
}

export function createExecs(daemon: Daemon): Execs {
  const of = (id: string, rest: string) => `/exec/${encodeURIComponent(id)}${rest}`;

  return {
    async create(containerId, spec, call) {
      const path = `/containers/${encodeURIComponent(containerId)}/exec`;
      const { Id } = (await daemon.json({ method: "POST", path, body: spec, ...call })) as { Id?: unknown };
      if (typeof Id !== "string" || Id === "") throw daemonUnavailable("the Docker daemon made a command without id");
      return Id;
    },

    start: (id, handlers, call) =>
      daemon.hijack({ method: "POST", path: of(id, "/start"), body: { Detach: false, Tty: false }, ...call }, handlers),

    async inspect(id, call) {
      const told = (await daemon.json({ method: "GET", path: of(id, "/json"), ...call })) as {
        Running?: boolean;
        ExitCode?: number | null;
        Pid?: number;
      };
      const isRunning = told.Running === true;
      return {
        isRunning,
        pid: told.Pid ?? 0,
        ...(!isRunning && typeof told.ExitCode === "number" && { exitCode: told.ExitCode }),
      };
    },
  };
}
