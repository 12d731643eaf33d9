import type { Daemon } from "./daemon.ts";
import { DockerError, hasStatus } from "./docker-error.ts";
import type { CallOptions } from "./transport.ts";

export interface Images {
  /** @param name `name:tag`, `name@sha256:...` or an id. @returns undefined when the daemon has none */
  inspect(name: string, options?: CallOptions): Promise<ImageFacts | undefined>;

  /**
   * Fetches it from its registry, for as long as the daemon tells of progress every `timeoutMs`. Ending it by the signal
   * ends the daemon's work as well.
   *
   * @throws DockerError 404 when there is no such image or it may not be read; 500 when the registry fails
   */
  pull(name: string, onProgress: (progress: PullProgress) => void, options?: PullOptions): Promise<void>;

  /** Makes an image of a tar archive with a whole file system. @param changes lines as in a Dockerfile */
  import(
    archive: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options: CallOptions & { name: string; changes: readonly string[] },
  ): Promise<void>;

  list(labels: readonly string[], options?: CallOptions): Promise<{ id: string; names: string[] }[]>;
  /** Takes away a name, and the image with its last; fine when there is none. @throws DockerError 409: in use */
  remove(name: string, options?: CallOptions): Promise<void>;
  /** Gives an image another name. */
  tag(name: string, as: { repository: string; tag: string }, options?: CallOptions): Promise<void>;
  push(name: string, options?: CallOptions): Promise<void>;
}

export interface PullOptions extends CallOptions {
  registryAuth?: { username: string; password: string; serveraddress?: string };
}

export interface ImageFacts {
  /** `sha256:...`, of its configuration: the same id, the same content. */
  id: string;
  names: string[];
  /** `name@sha256:...`, of its manifest in a registry. */
  digests: string[];
  os: string;
  arch: string;
  labels: Readonly<Record<string, string>>;
  user: string;
  env: string[];
  /** Folders for which the daemon makes a volume on its disk, that can be written, unless something else is mounted there. */
  volumes: string[];
}

export interface PullProgress {
  /** `Downloading`, `Extracting`, `Pull complete` ... */
  status: string;
  /** The layer, when it is about one. */
  layer?: string;
  doneBytes?: number;
  totalBytes?: number;
}

/** No progress at all for this long: the registry or the daemon hangs. */
const PULL_SILENCE_MS = 120_000;

export function createImages(daemon: Daemon): Images {
  // A name goes into the path as it is: the daemon takes the slashes in it apart itself.
  const of = (name: string, rest = "") => `/images/${encodeURI(name).replaceAll("?", "%3F")}${rest}`;

  /** The daemon says 200 at once, and what went wrong in a line of what follows. */
  function watch(onProgress: (progress: PullProgress) => void): (line: unknown) => void {
    return (line) => {
      const told = line as PullLine;
      if (told.error !== undefined) throw refusedWhile(told);
      const { current, total } = told.progressDetail ?? {};
      onProgress({
        status: told.status ?? "",
        ...(told.id !== undefined && { layer: told.id }),
        ...(current !== undefined && { doneBytes: current }),
        ...(total !== undefined && { totalBytes: total }),
      });
    };
  }

  return {
    async inspect(name, call) {
      try {
        const told = (await daemon.json({ method: "GET", path: of(name, "/json"), ...call })) as {
          Id?: string;
          RepoTags?: string[] | null;
          RepoDigests?: string[] | null;
          Os?: string;
          Architecture?: string;
          Config?: {
            Labels?: Record<string, string> | null;
            User?: string;
            Env?: string[] | null;
            Volumes?: Record<string, unknown> | null;
          } | null;
        };
        return {
          id: told.Id ?? "",
          names: told.RepoTags ?? [],
          digests: told.RepoDigests ?? [],
          os: told.Os ?? "unknown",
          arch: told.Architecture ?? "unknown",
          labels: told.Config?.Labels ?? {},
          user: told.Config?.User ?? "",
          env: told.Config?.Env ?? [],
          volumes: Object.keys(told.Config?.Volumes ?? {}),
        };
      } catch (error) {
        if (hasStatus(error, 404)) return undefined;
        throw error;
      }
    },

    async pull(name, onProgress, { registryAuth, ...call } = {}) {
      const headers = registryAuth && {
        "X-Registry-Auth": Buffer.from(JSON.stringify(registryAuth), "utf8").toString("base64url"),
      };
      await daemon.lines(
        {
          method: "POST",
          path: "/images/create",
          query: referenceParts(name),
          timeoutMs: PULL_SILENCE_MS,
          ...(headers && { headers }),
          ...call,
        },
        watch(onProgress),
      );
    },

    async import(archive, { name, changes, ...call }) {
      const { fromImage, tag } = referenceParts(name);
      // `changes` may be given many times, which the query of a request cannot say: one text with lines does as well.
      const query = {
        fromSrc: "-",
        repo: fromImage,
        tag,
        changes: changes.length > 0 ? changes.join("\n") : undefined,
      };
      const request = { method: "POST", path: "/images/create", query, archive, ...call } as const;
      await daemon.lines(
        request,
        watch(() => {}),
      );
    },

    async list(labels, call) {
      const query = { filters: { label: labels } };
      const told = (await daemon.json({ method: "GET", path: "/images/json", query, ...call })) as {
        Id: string;
        RepoTags?: string[] | null;
      }[];
      return told.map(({ Id, RepoTags }) => ({ id: Id, names: RepoTags ?? [] }));
    },

    async remove(name, call) {
      try {
        await daemon.call({ method: "DELETE", path: of(name), ...call });
      } catch (error) {
        if (!hasStatus(error, 404)) throw error;
      }
    },

    async tag(name, { repository, tag }, call) {
      await daemon.call({ method: "POST", path: of(name, "/tag"), query: { repo: repository, tag }, ...call });
    },

    async push(name, call) {
      const { fromImage, tag } = referenceParts(name);
      const headers = { "X-Registry-Auth": Buffer.from("{}").toString("base64url") };
      await daemon.lines(
        { method: "POST", path: of(fromImage, "/push"), query: { tag }, headers, timeoutMs: PULL_SILENCE_MS, ...call },
        watch(() => {}),
      );
    },
  };
}

interface PullLine {
  status?: string;
  id?: string;
  error?: string;
  errorDetail?: { code?: number; message?: string };
  progressDetail?: { current?: number; total?: number };
}

function refusedWhile({ error, errorDetail }: PullLine): DockerError {
  return new DockerError(errorDetail?.code ?? 500, String(error).slice(0, 2_000));
}

/** `registry:5000/a/b:tag` apart; without a tag it is `latest`, or the daemon would fetch all of them. */
function referenceParts(name: string): { fromImage: string; tag: string } {
  const at = name.indexOf("@");
  if (at >= 0) return { fromImage: name.slice(0, at), tag: name.slice(at + 1) };
  const colon = name.lastIndexOf(":");
  if (colon > name.lastIndexOf("/")) return { fromImage: name.slice(0, colon), tag: name.slice(colon + 1) };
  return { fromImage: name, tag: "latest" };
}
