import type { Daemon } from "./daemon.ts";
import { daemonUnavailable, hasStatus } from "./docker-error.ts";
import type { DockerStream, StreamHandlers } from "./stream.ts";
import type { CallOptions } from "./transport.ts";

export interface Containers {
  /** @returns its id. @throws DockerError 404: no such image, 409: the name is taken, 400: a part of it is refused */
  create(spec: ContainerSpec, options?: CallOptions & { name?: string }): Promise<string>;
  start(id: string, options?: CallOptions): Promise<void>;
  /** Its input and output from now on; made before `start`, nothing of it is lost. */
  attach(id: string, handlers: StreamHandlers, options?: CallOptions): Promise<DockerStream>;
  /** Waits until it does not run; at once when it does not. @returns its exit code */
  wait(id: string, options?: CallOptions): Promise<number>;
  /** @returns undefined when there is none */
  inspect(id: string, options?: CallOptions): Promise<ContainerFacts | undefined>;
  /** Sends a signal, SIGKILL by default; fine when it does not run, or is gone. */
  kill(id: string, options?: CallOptions & { signalName?: string }): Promise<void>;
  /** Ends it and removes it with its anonymous volumes; fine when it is gone. */
  remove(id: string, options?: CallOptions): Promise<void>;
  /** Makes an image of what is in it. @param as `changes`: lines as in a Dockerfile */
  commit(
    id: string,
    as: { repository: string; tag: string; changes?: readonly string[] },
    options?: CallOptions,
  ): Promise<void>;
  /** Those that have all of the labels, running or not. A label is `name` or `name=value`. */
  list(labels: readonly string[], options?: CallOptions): Promise<ContainerListing[]>;
  /** Unpacks a tar archive into a folder of it. @throws DockerError 404: no such folder, 403: it cannot be written */
  putArchive(
    id: string,
    folder: string,
    archive: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options?: CallOptions,
  ): Promise<void>;
  /** A file or folder of it as a tar archive. @throws DockerError 404: no such path; TOO_LARGE past `maxBytes` */
  getArchive(id: string, path: string, options: CallOptions & { maxBytes: number }): Promise<Buffer>;
}

/** The members of the API's `ContainerConfig` and `HostConfig` that are used here, in its own spelling. */
export interface ContainerSpec {
  Image: string;
  Cmd?: readonly string[];
  Entrypoint?: readonly string[];
  Env?: readonly string[];
  User?: string;
  WorkingDir?: string;
  Labels?: Readonly<Record<string, string>>;
  AttachStdin?: boolean;
  AttachStdout?: boolean;
  AttachStderr?: boolean;
  OpenStdin?: boolean;
  StdinOnce?: boolean;
  Tty?: boolean;
  NetworkDisabled?: boolean;
  StopSignal?: string;
  Healthcheck?: { Test: readonly string[] };
  HostConfig?: HostConfig;
}

export interface HostConfig {
  ReadonlyRootfs?: boolean;
  NetworkMode?: string;
  CapDrop?: readonly string[];
  SecurityOpt?: readonly string[];
  PidsLimit?: number;
  Memory?: number;
  MemorySwap?: number;
  CpuPeriod?: number;
  CpuQuota?: number;
  IpcMode?: string;
  Tmpfs?: Readonly<Record<string, string>>;
  LogConfig?: { Type: string; Config: Readonly<Record<string, string>> };
  Ulimits?: readonly { Name: string; Soft: number; Hard: number }[];
  Runtime?: string;
  Init?: boolean;
  Mounts?: readonly {
    Type: "volume";
    Source: string;
    Target: string;
    ReadOnly: boolean;
    VolumeOptions?: { NoCopy?: boolean };
  }[];
}

export interface ContainerFacts {
  id: string;
  imageId: string;
  isRunning: boolean;
  isOomKilled: boolean;
  exitCode: number;
  /** Why it did not start, in the daemon's words. */
  error: string;
  labels: Readonly<Record<string, string>>;
}

export interface ContainerListing {
  id: string;
  state: string;
  labels: Readonly<Record<string, string>>;
  /** Seconds since 1970, by the daemon's clock. */
  createdAtSeconds: number;
}

export function createContainers(daemon: Daemon): Containers {
  const of = (id: string, rest = "") => `/containers/${encodeURIComponent(id)}${rest}`;

  return {
    async create(spec, { name, ...call } = {}) {
      const request = { method: "POST", path: "/containers/create", query: { name }, body: spec, ...call } as const;
      const { Id } = (await daemon.json(request)) as { Id?: unknown };
      if (typeof Id !== "string" || Id === "") throw daemonUnavailable("the Docker daemon made a container without id");
      return Id;
    },

    async start(id, call) {
      await daemon.call({ method: "POST", path: of(id, "/start"), ...call });
    },

    attach: (id, handlers, call) =>
      daemon.hijack(
        { method: "POST", path: of(id, "/attach"), query: { stream: 1, stdin: 1, stdout: 1, stderr: 1 }, ...call },
        handlers,
      ),

    async wait(id, call) {
      const { StatusCode } = (await daemon.json({ method: "POST", path: of(id, "/wait"), ...call })) as {
        StatusCode?: number;
      };
      return StatusCode ?? -1;
    },

    async inspect(id, call) {
      try {
        const told = (await daemon.json({ method: "GET", path: of(id, "/json"), ...call })) as {
          Id?: string;
          Image?: string;
          State?: { Running?: boolean; OOMKilled?: boolean; ExitCode?: number; Error?: string };
          Config?: { Labels?: Record<string, string> | null };
        };
        return {
          id: told.Id ?? id,
          imageId: told.Image ?? "",
          isRunning: told.State?.Running === true,
          isOomKilled: told.State?.OOMKilled === true,
          exitCode: told.State?.ExitCode ?? -1,
          error: told.State?.Error ?? "",
          labels: told.Config?.Labels ?? {},
        };
      } catch (error) {
        if (hasStatus(error, 404)) return undefined;
        throw error;
      }
    },

    async kill(id, { signalName, ...call } = {}) {
      try {
        await daemon.call({ method: "POST", path: of(id, "/kill"), query: { signal: signalName }, ...call });
      } catch (error) {
        if (!hasStatus(error, 404, 409)) throw error;
      }
    },

    async remove(id, call) {
      try {
        await daemon.call({ method: "DELETE", path: of(id), query: { force: true, v: true }, ...call });
      } catch (error) {
        // 409: somebody else is removing it already.
        if (!hasStatus(error, 404, 409)) throw error;
      }
    },

    async commit(id, { repository, tag, changes }, call) {
      const query = { container: id, repo: repository, tag, changes: changes?.join("\n") };
      await daemon.call({ method: "POST", path: "/commit", query, body: {}, ...call });
    },

    async list(labels, call) {
      const query = { all: true, filters: { label: labels } };
      const told = (await daemon.json({ method: "GET", path: "/containers/json", query, ...call })) as {
        Id: string;
        State?: string;
        Labels?: Record<string, string> | null;
        Created?: number;
      }[];
      return told.map(({ Id, State, Labels, Created }) => ({
        id: Id,
        state: State ?? "unknown",
        labels: Labels ?? {},
        createdAtSeconds: Created ?? 0,
      }));
    },

    async putArchive(id, folder, archive, call) {
      const query = { path: folder, noOverwriteDirNonDir: true };
      await daemon.call({ method: "PUT", path: of(id, "/archive"), query, archive, ...call });
    },

    async getArchive(id, path, call) {
      return (await daemon.call({ method: "GET", path: of(id, "/archive"), query: { path }, ...call })).body;
    },
  };
}
