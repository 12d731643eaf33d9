import { parentPort, workerData } from "node:worker_threads";
import Arborist, { type Node } from "@npmcli/arborist";
import { DynamicMcpError, type ErrorCode } from "../../core/errors.ts";
import { createDocuments, type Documents, type VersionFacts } from "./documents.ts";
import { byteLimit, fileLimit } from "./limit-words.ts";
import { createNameRules } from "./name-rules.ts";
import type { RegistrySettings } from "./npmrc.ts";
import type { PackageLimits } from "./options.ts";
import type { LockedPackage, PackageLock, PackageSpec } from "./packages.ts";
import { createRegistry } from "./registry.ts";

/**
 * The thread that resolves: npm's own tree builder over our own, bounded registry client. It is a thread because a
 * large tree takes time and memory to think about, and because a thread can be ended at any moment.
 *
 * The builder never fetches by itself: it asks the "cache" that it is given, which always has everything, and is told to
 * refuse what comes from elsewhere than a registry.
 */
export interface ResolverTask {
  wanted: readonly PackageSpec[];
  registry: RegistrySettings;
  allowed: readonly string[];
  blocked: readonly string[];
  limits: PackageLimits;
  /** An empty folder, for a builder that looks into the one that it is to fill. */
  folder: string;
}

export type ResolverAnswer =
  | { lock: PackageLock }
  | { refusal: { code: ErrorCode; message: string; data: Record<string, unknown> } }
  | { fault: string };

/** The names that npm uses for where a dependency comes from. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  EALLOWGIT: "a git repository",
  EALLOWREMOTE: "an address",
  EALLOWFILE: "a file",
  EALLOWDIRECTORY: "a folder",
};

async function resolve(task: ResolverTask): Promise<PackageLock> {
  const ending = new AbortController();
  const registry = createRegistry(task.registry, ending.signal);
  const documents = createDocuments(registry, task.limits.maxPackages);
  try {
    const tree = await build(task, documents);
    return lockOf(tree, documents, task);
  } finally {
    ending.abort();
    registry.close();
  }
}

async function build(task: ResolverTask, documents: Documents): Promise<Node[]> {
  const builder = new Arborist({
    path: task.folder,
    packumentCache: documents.cache,
    cache: task.folder,
    ...{ allowGit: "none", allowRemote: "none", allowFile: "none", allowDirectory: "none" },
    ...{ ignoreScripts: true, ignoreExtension: true, packageLock: false, save: false, audit: false, fund: false },
  });
  try {
    const { inventory } = await builder.buildIdealTree({
      add: task.wanted.map(({ name, version }) => `${name}@${version}`),
    });
    return [...inventory.values()].filter((node) => !node.isRoot);
  } catch (error) {
    throw refusalOf(error);
  }
}

/** What npm throws, by its code. */
function refusalOf(error: unknown): unknown {
  if (error instanceof DynamicMcpError) return error;
  const { code = "", message, name = "a package", package: spec, wanted, distTags, edge } = error as BuilderError;
  const elsewhere = ELSEWHERE[code];
  if (elsewhere !== undefined) {
    const text = `a package that is asked for depends on ${elsewhere} (${spec}); only packages of the registry are taken`;
    return new DynamicMcpError("PACKAGE_NOT_ALLOWED", text, { data: { package: String(spec) } });
  }
  switch (code) {
    case "ETARGET":
    case "ENOVERSIONS": {
      const latest = typeof distTags?.latest === "string" ? `; the latest is ${distTags.latest}` : "";
      const text = `the registry has no version of ${name} that fits ${JSON.stringify(wanted ?? "*")}${latest}`;
      return new DynamicMcpError("PACKAGE_NOT_FOUND", text, { data: { package: name }, cause: error });
    }
    case "ERESOLVE": {
      const who = edge ? `${edge.from?.name ?? "one"} wants ${edge.name} in the range ${JSON.stringify(edge.spec)}, which does not go with what else is asked for` : message; // prettier-ignore
      return new DynamicMcpError("PACKAGE_NOT_FOUND", `no versions fit together: ${who}`, { cause: error });
    }
    case "EUNSUPPORTEDPROTOCOL":
    case "EINVALIDPACKAGENAME":
    case "EINVALIDTAGNAME":
      return new DynamicMcpError("PACKAGE_NOT_ALLOWED", `a dependency is written in a form that is not taken: ${message}`, { cause: error }); // prettier-ignore
    default:
      return error;
  }
}

interface BuilderError {
  code?: string;
  message: string;
  name?: string;
  package?: string;
  wanted?: string;
  distTags?: Record<string, unknown>;
  edge?: { name: string; spec: string; from?: { name?: string } | null };
}

function lockOf(nodes: readonly Node[], documents: Documents, { limits, allowed, blocked }: ResolverTask): PackageLock {
  const rules = createNameRules(allowed, blocked);
  const warnings: string[] = [];
  const packages = nodes.map((node): LockedPackage => {
    rules.check(node.packageName, askedBy(node));
    const facts = documents.factsOf(node.packageName, node.version);
    if (!facts) throw new Error(`the tree has ${node.packageName}@${node.version}, which no document has`);
    return { path: node.location, name: node.packageName, version: node.version, ...checked(node, facts, warnings) };
  });
  checkTotals(packages, documents, limits);
  packages.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { packages, ...(warnings.length > 0 ? { warnings } : {}) };
}

/** Who depends on it, when that is another package. */
function askedBy(node: Node): string | undefined {
  const from = [...node.edgesIn].map((edge) => edge.from);
  if (from.some((each) => each === null || each.isRoot)) return undefined;
  const first = from.find((each) => each !== null && each !== undefined);
  return first ? `${first.packageName}@${first.version}` : undefined;
}

function checked(node: Node, facts: VersionFacts, warnings: string[]): Pick<LockedPackage, "integrity" | "hasScripts"> {
  const id = `${node.packageName}@${node.version}`;
  if (facts.native !== undefined) {
    const via = askedBy(node);
    const how = via === undefined ? "" : `, and ${via} depends on it`;
    const text = `${id} needs native code (${facts.native}), which sandboxes do not load${how}; look for one in plain JavaScript or WebAssembly`;
    throw new DynamicMcpError("PACKAGE_NATIVE", text, { data: { package: id } });
  }
  if (facts.integrity === undefined) {
    throw new DynamicMcpError("PACKAGE_INTEGRITY", `the registry gives no checksum for ${id}`, {
      data: { package: id },
    });
  }
  if (facts.misfit !== undefined) warnings.push(`${id} ${facts.misfit}`);
  return { integrity: facts.integrity, ...(facts.hasScripts ? { hasScripts: true } : {}) };
}

function checkTotals(packages: readonly LockedPackage[], documents: Documents, limits: PackageLimits): void {
  const data = { packages: packages.length };
  if (packages.length > limits.maxPackages) {
    const text = `these are ${packages.length} packages with all that they depend on; at most ${limits.maxPackages} are taken`;
    throw new DynamicMcpError("PACKAGE_TOO_LARGE", text, { data });
  }
  const sizes = packages.map(({ name, version }) => ({ name, ...documents.factsOf(name, version) }));
  const bytes = sizes.reduce((sum, { unpackedBytes = 0 }) => sum + unpackedBytes, 0);
  const files = sizes.reduce((sum, { files: count = 0 }) => sum + count, 0);
  const over = bytes > limits.maxBytes ? `${bytes} bytes unpacked; ${byteLimit(limits.maxBytes)}`
    : files > limits.maxFiles ? `${files} files; ${fileLimit(limits.maxFiles)}` : undefined; // prettier-ignore
  if (over === undefined) return;
  const largest = sizes.toSorted((a, b) => (b.unpackedBytes ?? 0) - (a.unpackedBytes ?? 0)).slice(0, 3);
  const text = `these packages have ${over}; the largest: ${largest.map(({ name }) => name).join(", ")}`;
  throw new DynamicMcpError("PACKAGE_TOO_LARGE", text, { data: { ...data, bytes, files } });
}

async function answer(task: ResolverTask): Promise<ResolverAnswer> {
  try {
    return { lock: await resolve(task) };
  } catch (error) {
    if (!(error instanceof DynamicMcpError)) return { fault: String(error instanceof Error ? error.stack : error) };
    const { code, message, data } = error;
    return { refusal: { code, message, data } };
  }
}

parentPort?.postMessage(await answer(workerData as ResolverTask));
