import { DynamicMcpError, hasCode } from "../../core/errors.ts";

/** The daemon understood and said no. Its words are for people and for our log; code decides by `status`. */
export class DockerError extends Error {
  override readonly name = "DockerError";
  /** HTTP: 404 there is no such thing, 409 conflicts with the state of it, 500 the daemon failed. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function hasStatus(error: unknown, ...statuses: number[]): error is DockerError {
  return error instanceof DockerError && statuses.includes(error.status);
}

/** The daemon could not be asked, or what answered is none. @param what for people: what happened and what to do */
export function daemonUnavailable(what: string, cause?: unknown): DynamicMcpError {
  return new DynamicMcpError("ENGINE_UNAVAILABLE", what, { data: { engine: "docker" }, cause });
}

/** Whether the daemon may have done what it was asked for, though nobody knows: its answer did not come. */
export function isAnswerLost(error: unknown): boolean {
  const { code } = ((error as { cause?: unknown }).cause ?? {}) as { code?: string };
  return hasCode(error, "ENGINE_UNAVAILABLE") && !NEVER_SENT.has(code ?? "");
}

const NEVER_SENT: ReadonlySet<string> = new Set(["ENOENT", "ECONNREFUSED", "EACCES", "ENOTFOUND", "EHOSTUNREACH"]);

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such socket: install and start Docker (or Podman's API service), or set DOCKER_HOST",
  ECONNREFUSED: "nothing listens there: start the Docker daemon, or set DOCKER_HOST",
  EACCES: "this user may not open it: add the user to the group `docker`, use a rootless daemon, or set DOCKER_HOST",
  ECONNRESET: "the daemon closed the connection: it may be restarting; try again",
  EPIPE: "the daemon closed the connection: it may be restarting; try again",
  ENOTFOUND: "there is no such host: check DOCKER_HOST",
  ETIMEDOUT: "it does not answer: check DOCKER_HOST, the network and the daemon",
  EHOSTUNREACH: "it cannot be reached: check DOCKER_HOST and the network",
};

/** A fault of the connection, in words that say what to do. @param address where the daemon was looked for */
export function unreachable(address: string, cause: unknown): DynamicMcpError {
  const { code, message } = cause as { code?: string; message?: string };
  if (code?.startsWith("HPE_")) {
    return daemonUnavailable(`what answers at ${address} does not speak HTTP: check DOCKER_HOST`, cause);
  }
  const hint = HINTS[code ?? ""] ?? message ?? String(cause);
  return daemonUnavailable(`the Docker daemon at ${address} cannot be reached: ${hint}`, cause);
}
