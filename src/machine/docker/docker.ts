import { hasCode } from "../../core/errors.ts";
import { once } from "../../core/once.ts";
import { type Containers, createContainers } from "./containers.ts";
import type { Daemon } from "./daemon.ts";
import { daemonUnavailable, DockerError } from "./docker-error.ts";
import { type EndpointOptions, endpoints } from "./endpoint.ts";
import { createExecs, type Execs } from "./execs.ts";
import { createImages, type Images } from "./images.ts";
import {
  type ApiAnswer,
  type ApiRequest,
  type CallOptions,
  createTransport,
  parseJson,
  type Transport,
} from "./transport.ts";
import { createVolumes, type Volumes } from "./volumes.ts";

/**
 * A small client of the Docker Engine API, over a socket, a named pipe, TCP or TLS. Podman's compatible API is taken too.
 *
 * Nothing is connected before the first call, and idle connections do not keep the process alive. Every call is bounded
 * in time and bytes. What a daemon refuses is a `DockerError` with its status; a daemon that is not there, hangs, dies
 * half-way or is none is ENGINE_UNAVAILABLE.
 */
export interface DockerClient {
  /** Asks whether somebody is there, anew. @throws ENGINE_UNAVAILABLE */
  ping(options?: CallOptions): Promise<DaemonPing>;
  version(options?: CallOptions): Promise<DaemonVersion>;
  info(options?: CallOptions): Promise<DaemonInfo>;
  /** The daemon's own clock, ms since 1970: the one that dates what it makes. */
  timeMs(options?: CallOptions): Promise<number>;
  readonly containers: Containers;
  readonly images: Images;
  readonly volumes: Volumes;
  readonly execs: Execs;
  /** Ends what is under way. Safe to call twice. */
  close(): void;
}

export interface DaemonPing {
  /** Where the daemon was found. */
  address: string;
  /** What is spoken with it: `1.41`. */
  apiVersion: string;
}

export interface DaemonVersion {
  /** Of the daemon. */
  version: string;
  apiVersion: string;
  os: string;
  arch: string;
  isPodman: boolean;
}

export interface DaemonInfo {
  /** Unique to the daemon. */
  id: string;
  /** Names of the runtimes that containers can be given: `runc`, `runsc`. */
  runtimes: string[];
  cpus: number;
  memoryBytes: number;
  cgroupVersion: string;
  isRootless: boolean;
}

interface Connection {
  transport: Transport;
  apiVersion: string;
}

/** The newest that this code was read against, and the oldest that knows all the limits we set (Docker 17.06). */
const NEWEST_API = "1.47";
const OLDEST_API = "1.30";
const PING_TIMEOUT_MS = 5_000;
const PING_BYTES = 100;

export function createDockerClient(options: EndpointOptions = {}): DockerClient {
  let current: Promise<Connection> | undefined;
  const transports = once(() => endpoints(options).map(createTransport));

  async function connect(): Promise<Connection> {
    let first: unknown;
    for (const transport of transports()) {
      try {
        return { transport, apiVersion: await negotiate(transport) };
      } catch (error) {
        first ??= error;
      }
    }
    throw first;
  }

  /** One negotiation for all who wait; it is not kept when it fails. */
  function connection(): Promise<Connection> {
    const own = (current ??= connect());
    own.catch(() => {
      if (current === own) current = undefined;
    });
    return own;
  }

  /** A daemon that is gone may come back as another one: its version is asked for again. */
  async function asking<T>(request: ApiRequest, ask: (transport: Transport, request: ApiRequest) => Promise<T>) {
    const { transport, apiVersion } = await raced(connection(), request.signal);
    try {
      return await ask(transport, { ...request, path: `/v${apiVersion}${request.path}` });
    } catch (error) {
      if ((error as { code?: string }).code === "ENGINE_UNAVAILABLE") current = undefined;
      throw error;
    }
  }

  const daemon: Daemon = {
    call: (request) => asking(request, (transport, versioned) => transport.call(versioned)),
    json: (request) =>
      asking(request, async (transport, versioned) => {
        const { body } = await transport.call(versioned);
        return parseJson(body.toString("utf8"), transport.address);
      }),
    lines: (request, onLine) => asking(request, (transport, versioned) => transport.lines(versioned, onLine)),
    hijack: (request, handlers) => asking(request, (transport, versioned) => transport.hijack(versioned, handlers)),
  };

  return {
    async ping({ signal } = {}) {
      current = undefined;
      const { transport, apiVersion } = await raced(connection(), signal);
      return { address: transport.address, apiVersion };
    },
    async version(call) {
      const told = (await daemon.json({ method: "GET", path: "/version", ...call })) as {
        Version?: string;
        ApiVersion?: string;
        Os?: string;
        Arch?: string;
        Components?: { Name?: string }[] | null;
      };
      return {
        version: told.Version ?? "unknown",
        apiVersion: told.ApiVersion ?? "unknown",
        os: told.Os ?? "unknown",
        arch: told.Arch ?? "unknown",
        isPodman: (told.Components ?? []).some(({ Name }) => Name?.startsWith("Podman")),
      };
    },
    async info(call) {
      const told = (await daemon.json({ method: "GET", path: "/info", ...call })) as {
        ID?: string;
        Runtimes?: Record<string, unknown> | null;
        NCPU?: number;
        MemTotal?: number;
        CgroupVersion?: string;
        SecurityOptions?: string[] | null;
      };
      return {
        id: told.ID ?? "",
        runtimes: Object.keys(told.Runtimes ?? {}),
        cpus: told.NCPU ?? 0,
        memoryBytes: told.MemTotal ?? 0,
        cgroupVersion: told.CgroupVersion ?? "1",
        isRootless: (told.SecurityOptions ?? []).some((option) => option.includes("rootless")),
      };
    },
    async timeMs(call) {
      const { SystemTime } = (await daemon.json({ method: "GET", path: "/info", ...call })) as { SystemTime?: string };
      const time = Date.parse(SystemTime ?? "");
      if (Number.isNaN(time)) throw daemonUnavailable("the Docker daemon does not tell its time");
      return time;
    },
    containers: createContainers(daemon),
    images: createImages(daemon),
    volumes: createVolumes(daemon),
    execs: createExecs(daemon),
    close() {
      current = undefined;
      try {
        for (const transport of transports()) transport.close();
      } catch {
        // The address was never one that could be used, so nothing is open.
      }
    },
  };
}

/** @returns the newest version that both sides speak. @throws ENGINE_UNAVAILABLE when there is none */
async function negotiate(transport: Transport): Promise<string> {
  const { headers } = await pinged(transport);
  const theirs = headers["api-version"];
  if (typeof theirs !== "string" || !/^1\.\d{1,3}$/.test(theirs)) throw noDaemonAt(transport);
  if (minor(theirs) < minor(OLDEST_API)) {
    throw daemonUnavailable(
      `the Docker daemon at ${transport.address} speaks API ${theirs}; at least ${OLDEST_API} (Docker 17.06) is needed`,
    );
  }
  return minor(theirs) < minor(NEWEST_API) ? theirs : NEWEST_API;
}

/** Whatever else answers than a daemon that is well, nobody can run anything there. @throws ENGINE_UNAVAILABLE */
async function pinged(transport: Transport): Promise<ApiAnswer> {
  const { address } = transport;
  const request = { method: "GET", path: "/_ping", timeoutMs: PING_TIMEOUT_MS, maxBytes: PING_BYTES } as const;
  try {
    return await transport.call(request);
  } catch (error) {
    if (hasCode(error, "TOO_LARGE")) throw noDaemonAt(transport, error);
    if (!(error instanceof DockerError)) throw error;
    const what = `what answers at ${address} answers with status ${error.status} when asked for the Docker Engine API`;
    throw daemonUnavailable(`${what}: check DOCKER_HOST, and that the daemon (and a proxy before it) is well`, error);
  }
}

const noDaemonAt = ({ address }: Transport, cause?: unknown) =>
  daemonUnavailable(`what answers at ${address} is not the Docker Engine API: check DOCKER_HOST`, cause);

const minor = (version: string) => Number(version.slice("1.".length));

/** What is shared goes on when one who waits for it leaves. */
export function raced<T>(shared: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return shared;
  return new Promise<T>((resolve, reject) => {
    const leave = () => reject(signal.reason as Error);
    if (signal.aborted) {
      shared.catch(() => {}); // whoever still waits for it hears of it
      return leave();
    }
    signal.addEventListener("abort", leave, { once: true });
    shared.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
  });
}
