import { satisfies, valid } from "semver";
import { DynamicMcpError } from "../../core/errors.ts";
import { nativeCodeOf } from "./native-hints.ts";
import type { Registry } from "./registry.ts";

/**
 * What the registry says of packages, cut down to what resolving needs, each asked for once.
 *
 * Left out on purpose: optional dependencies (which npm lists among the plain ones, too), those for development, and
 * what a package says it carries inside of its own archive; such things are resolved like all others, by name.
 */
export interface Documents {
  /** In the form that npm's libraries ask: it has everything, and gives a promise. */
  cache: {
    has(key: string): true;
    get(key: string): Promise<object>;
    set(): void;
    delete(): void;
  };
  /** Of a version that was asked for before. */
  factsOf(name: string, version: string): VersionFacts | undefined;
}

export interface VersionFacts {
  integrity?: string;
  unpackedBytes?: number;
  files?: number;
  hasScripts: boolean;
  /** Why it cannot do without native code. */
  native?: string;
  /** In what way it does not fit the Node that runs us. */
  misfit?: string;
}

/** Names that are looked up, for each package that may be in the end: versions that lose are looked up, too. */
const NAMES_PER_PACKAGE = 4;

export function createDocuments(registry: Registry, maxPackages: number): Documents {
  const pending = new Map<string, Promise<object>>();
  const facts = new Map<string, VersionFacts>();

  async function load(name: string): Promise<object> {
    const { versions, ...rest } = (await registry.document(name)) as RawDocument;
    const kept: [string, object][] = [];
    for (const [version, raw] of Object.entries(versions ?? {})) {
      if (valid(version) === null || typeof raw !== "object" || raw === null) continue;
      facts.set(`${name}@${version}`, factsFrom(raw));
      kept.push([version, manifestFrom(name, version, raw)]);
    }
    return { name, "dist-tags": rest["dist-tags"] ?? {}, versions: Object.fromEntries(kept) };
  }

  function get(key: string): Promise<object> {
    // `corgi:<registry>/<name>`, the name escaped.
    const name = decodeURIComponent(key.slice(key.lastIndexOf("/") + 1));
    const known = pending.get(name);
    if (known) return known;
    if (pending.size >= maxPackages * NAMES_PER_PACKAGE) {
      const text = `these packages depend on more than ${pending.size} others; at most ${maxPackages} packages are taken`;
      return Promise.reject(new DynamicMcpError("PACKAGE_TOO_LARGE", text, { data: { maxPackages } }));
    }
    const loading = load(name);
    loading.catch(() => {}); // the builder looks ahead, and may never come back for it
    pending.set(name, loading);
    return loading;
  }

  return {
    cache: { has: () => true, get, set() {}, delete() {} },
    factsOf: (name, version) => facts.get(`${name}@${version}`),
  };
}

/** As the registry claims; nothing of it is certain. */
interface RawDocument {
  "dist-tags"?: object;
  versions?: Record<string, RawVersion | null>;
}
interface RawVersion {
  dependencies?: Record<string, unknown>;
  optionalDependencies?: Record<string, unknown>;
  peerDependencies?: Record<string, unknown>;
  peerDependenciesMeta?: Record<string, unknown>;
  engines?: { node?: unknown };
  deprecated?: unknown;
  hasInstallScript?: unknown;
  gypfile?: unknown;
  dist?: { integrity?: unknown; shasum?: unknown; unpackedSize?: unknown; fileCount?: unknown; tarball?: unknown };
}

function manifestFrom(name: string, version: string, raw: RawVersion): object {
  const optional = raw.optionalDependencies ?? {};
  const dependencies = texts(raw.dependencies).filter(([each]) => !Object.hasOwn(optional, each));
  return {
    name,
    version,
    dependencies: Object.fromEntries(dependencies),
    peerDependencies: Object.fromEntries(texts(raw.peerDependencies)),
    ...(raw.peerDependenciesMeta ? { peerDependenciesMeta: raw.peerDependenciesMeta } : {}),
    ...(typeof raw.engines === "object" ? { engines: raw.engines } : {}),
    ...(typeof raw.deprecated === "string" ? { deprecated: raw.deprecated } : {}),
    // The builder wants an address; it never uses it.
    dist: { tarball: typeof raw.dist?.tarball === "string" ? raw.dist.tarball : "" },
  };
}

const texts = (list: Record<string, unknown> | undefined) =>
  Object.entries(list ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === "string");

function factsFrom(raw: RawVersion): VersionFacts {
  const { integrity, shasum, unpackedSize, fileCount } = raw.dist ?? {};
  const checksum =
    typeof integrity === "string" && integrity !== ""
      ? integrity
      : typeof shasum === "string" && /^[0-9a-f]{40}$/.test(shasum)
        ? `sha1-${Buffer.from(shasum, "hex").toString("base64")}`
        : undefined;
  const native = nativeCodeOf(raw);
  const node = raw.engines?.node;
  const fits = typeof node !== "string" || satisfies(process.version, node, { includePrerelease: true });
  return {
    hasScripts: raw.hasInstallScript === true,
    ...(checksum === undefined ? {} : { integrity: checksum }),
    ...(typeof unpackedSize === "number" ? { unpackedBytes: unpackedSize } : {}),
    ...(typeof fileCount === "number" ? { files: fileCount } : {}),
    ...(native === undefined ? {} : { native }),
    ...(fits ? {} : { misfit: `says that it is for Node ${node}; this is ${process.version}` }),
  };
}
