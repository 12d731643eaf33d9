import { isBuiltin } from "node:module";
import { DynamicMcpError } from "../core/errors.ts";
import { ENGINE_LEVELS, type EngineName } from "./engine.ts";

/** What a body asks of an engine. */
export interface Needs {
  /** From `compile`. */
  needsNode: readonly string[];
  dependencies: readonly { name: string; version: string }[];
  /** Of a container. For plain code it is a preference, not a demand. */
  image?: string;
  /**
   * Makes one small script of the packages, for the engine without files.
   * @returns why that cannot be done; undefined when it was done
   */
  bundle?(): Promise<string | undefined>;
}

/** Kept with the tool and shown. */
export interface EngineChoice {
  engine: EngineName;
  /** What holds the code in. */
  level: string;
  why: string;
}

export type EngineSetting = "auto" | EngineName;

/** Whether code is ever run in this engine under the setting: then it has to work. */
export function isNeeded(engine: EngineName, setting: EngineSetting): boolean {
  // Where there is no jail, plain code of `node` goes to quickjs.
  return setting === "auto" || setting === engine || (setting === "node" && engine === "quickjs");
}

/** What this server has, tried when it is asked for. */
export interface EngineOffers {
  /** Whether the daemon answers and the image is there or could be pulled. @returns undefined when so */
  docker(image: string | undefined): Promise<DynamicMcpError | undefined>;
  /** @returns what holds a Node process in here, or why there is none */
  node(): Promise<{ level: string } | { problem: string }>;
}

/**
 * Finds the engine for a body, once, when it is accepted: the built-in interpreter where it can run the code, else a
 * container, else a jailed Node. Never falls to a weaker one in silence.
 *
 * @param setting the operator's. `docker` is docker for everything; `node` without a jail runs plain bodies in quickjs and
 *   says so
 * @throws ENGINE_UNAVAILABLE naming what the body needs and what to do; IMAGE_NOT_ALLOWED, IMAGE_NOT_FOUND,
 *   IMAGE_UNUSABLE where a container is the only way, or its image was asked for
 */
export async function chooseEngine(needs: Needs, setting: EngineSetting, offers: EngineOffers): Promise<EngineChoice> {
  if (setting === "docker") return inDocker(needs, offers, "as the operator set");
  const demand = demandOf(needs);
  if (setting === "node") return inNode(needs, offers, demand);

  const bundled = await bundledInto(needs, demand);
  if (bundled === undefined) return inQuickjs(needs, setting);
  if (setting === "quickjs") {
    throw unavailable("quickjs", `${bundled}, and the operator allows the quickjs engine only (MCP_EXECUTION_ENGINE)`);
  }
  return inDockerElseNode(needs, offers, bundled);
}

/** @returns why the interpreter is not enough, in words; undefined when it is */
async function bundledInto(needs: Needs, demand: string | undefined): Promise<string | undefined> {
  if (demand === undefined || nodeUses(needs).length > 0 || !needs.bundle) return demand;
  const problem = await needs.bundle();
  return problem === undefined ? undefined : `${demand} (${problem})`;
}

function inQuickjs(needs: Needs, setting: EngineSetting, more?: string): EngineChoice {
  const parts =
    needs.dependencies.length === 0 ? ["plain JavaScript without packages"] : ["its packages are small and plain"];
  if (needs.image !== undefined) parts.push(`the image ${needs.image} is a preference that nothing here needs`);
  if (setting === "quickjs") parts.push("as the operator set");
  if (more !== undefined) parts.push(more);
  return { engine: "quickjs", level: ENGINE_LEVELS.quickjs, why: parts.join("; ") };
}

async function inDocker(needs: Needs, offers: EngineOffers, why: string): Promise<EngineChoice> {
  const problem = await offers.docker(needs.image);
  if (problem) throw problem;
  return { engine: "docker", level: ENGINE_LEVELS.docker, why };
}

async function inNode(needs: Needs, offers: EngineOffers, demand: string | undefined): Promise<EngineChoice> {
  const node = await offers.node();
  if ("level" in node) return { engine: "node", level: node.level, why: "as the operator set" };
  if (demand === undefined) return inQuickjs(needs, "node", `the node engine is not available (${node.problem})`);
  throw unavailable("node", `${demand}, which needs the node engine; ${node.problem}`);
}

async function inDockerElseNode(needs: Needs, offers: EngineOffers, demand: string): Promise<EngineChoice> {
  const problem = await offers.docker(needs.image);
  if (!problem) return { engine: "docker", level: ENGINE_LEVELS.docker, why: demand };
  // The author named an image that exists only as a refusal: another engine would not be what was asked for.
  if (problem.code === "IMAGE_NOT_ALLOWED") throw problem;
  const node = await offers.node();
  if ("level" in node) {
    return { engine: "node", level: node.level, why: `${demand}; not in docker: ${problem.message}` };
  }
  const message = `${demand}, which needs an engine with the Node API. docker: ${problem.message}; node: ${node.problem}`;
  throw unavailable("docker", message, problem);
}

/** What of the body is beyond an interpreter: undefined when nothing is. */
function demandOf(needs: Needs): string | undefined {
  const uses = nodeUses(needs);
  const parts: string[] = [];
  if (uses.length > 0) parts.push(`the code uses ${uses.join(", ")}`);
  if (needs.dependencies.length > 0) parts.push(`it depends on ${needs.dependencies.map(({ name }) => name).join(", ")}`); // prettier-ignore
  return parts.length === 0 ? undefined : parts.join(" and ");
}

/** Without imports of the body's own packages. */
function nodeUses({ needsNode, dependencies }: Needs): string[] {
  const own = new Set(dependencies.map(({ name }) => name));
  return needsNode.filter((use) => {
    const name = importedName(use);
    return name === undefined || !own.has(packageOf(name));
  });
}

/** Names that the body imports literally from its own packages: `zod`, `date-fns/format`. */
export function packageImports(needs: Pick<Needs, "needsNode" | "dependencies">): string[] {
  const own = new Set(needs.dependencies.map(({ name }) => name));
  return needs.needsNode.map(importedName).filter((name) => name !== undefined && own.has(packageOf(name))) as string[];
}

/** Names that the body imports although they are neither Node's nor among its packages. */
export function unknownImports({ needsNode, dependencies }: Pick<Needs, "needsNode" | "dependencies">): string[] {
  const own = new Set(dependencies.map(({ name }) => name));
  return needsNode.map(importedName).filter((name) => name !== undefined && !isBuiltin(name) && !own.has(packageOf(name))) as string[]; // prettier-ignore
}

/** `import("zod")`, as `compile` writes it. */
function importedName(use: string): string | undefined {
  const found = /^import\((".*")\)$/.exec(use)?.[1];
  return found === undefined ? undefined : (JSON.parse(found) as string);
}

/** `@scope/name/part` is of the package `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function unavailable(engine: EngineName, message: string, cause?: unknown): DynamicMcpError {
  return new DynamicMcpError("ENGINE_UNAVAILABLE", message, { data: { engine }, cause });
}
