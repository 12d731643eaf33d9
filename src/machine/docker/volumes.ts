import type { Daemon } from "./daemon.ts";
import { hasStatus } from "./docker-error.ts";
import type { CallOptions } from "./transport.ts";

export interface Volumes {
  /** Makes it, or gives the one of this name that is there already, whatever its labels. */
  create(name: string, labels: Readonly<Record<string, string>>, options?: CallOptions): Promise<VolumeFacts>;
  /** @returns undefined when there is none */
  inspect(name: string, options?: CallOptions): Promise<VolumeFacts | undefined>;
  /** Fine when there is none. @returns false when a container uses it */
  remove(name: string, options?: CallOptions): Promise<boolean>;
  list(labels: readonly string[], options?: CallOptions): Promise<VolumeFacts[]>;
}

export interface VolumeFacts {
  name: string;
  labels: Readonly<Record<string, string>>;
  /** ISO 8601, by the daemon's clock; empty when it does not say. */
  createdAt: string;
}

interface Told {
  Name: string;
  Labels?: Record<string, string> | null;
  CreatedAt?: string;
}

const facts = ({ Name, Labels, CreatedAt }: Told): VolumeFacts => ({
  name: Name,
  labels: Labels ?? {},
  createdAt: CreatedAt ?? "",
});

export function createVolumes(daemon: Daemon): Volumes {
  const of = (name: string) => `/volumes/${encodeURIComponent(name)}`;

  return {
    async create(name, labels, call) {
      const body = { Name: name, Labels: labels };
      return facts((await daemon.json({ method: "POST", path: "/volumes/create", body, ...call })) as Told);
    },

    async inspect(name, call) {
      try {
        return facts((await daemon.json({ method: "GET", path: of(name), ...call })) as Told);
      } catch (error) {
        if (hasStatus(error, 404)) return undefined;
        throw error;
      }
    },

    async remove(name, call) {
      try {
        await daemon.call({ method: "DELETE", path: of(name), ...call });
      } catch (error) {
        if (hasStatus(error, 409)) return false;
        if (!hasStatus(error, 404)) throw error;
      }
      return true;
    },

    async list(labels, call) {
      const query = { filters: { label: labels } };
      const told = (await daemon.json({ method: "GET", path: "/volumes", query, ...call })) as {
        Volumes?: Told[] | null;
      };
      return (told.Volumes ?? []).map(facts);
    },
  };
}
