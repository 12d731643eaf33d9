import { DynamicMcpError } from "../core/errors.ts";
import { ENGINE_LEVELS, type EngineName } from "./engine.ts";

/** What a body asks of an engine. */
export interface Needs {
  /** From `compile`. */
  needsNode: readonly string[];
  dependencies: readonly { name: string; version: string }[];
  /** Of a container. Without packages it is a preference, not a demand. */
  image?: string;
}

/** Kept with the tool and shown. */
export interface EngineChoice {
  engine: EngineName;
  /** What holds the code in. */
  level: string;
  why: string;
}

export type EngineSetting = "auto" | EngineName;

/**
 * Finds the engine for a body, once, when it is accepted. Never falls to a weaker one in silence.
 *
 * @param setting   the operator's; `node` without a jail runs plain bodies in quickjs and says so
 * @param available engines that this server has
 * @throws ENGINE_UNAVAILABLE naming what the body needs and what to do
 */
export function chooseEngine(needs: Needs, setting: EngineSetting, available: readonly EngineName[]): EngineChoice {
  const demand = demandOf(needs);
  if (setting === "docker") throw unavailable("docker", demand, DOCKER_MISSING);
  if (demand !== undefined) {
    throw setting === "node" ? unavailable("node", demand, NODE_MISSING) : unavailable("docker", demand, REWRITE);
  }
  if (!available.includes("quickjs")) throw unavailable("quickjs", undefined, "this server was started without it");
  return { engine: "quickjs", level: ENGINE_LEVELS.quickjs, why: whyQuickjs(needs, setting) };
}

const DOCKER_MISSING =
  "this version does not have the docker engine yet: set MCP_EXECUTION_ENGINE (--execution-engine) to auto, which runs plain bodies in quickjs"; // prettier-ignore
const NODE_MISSING =
  "this version does not have the node engine yet, neither in a jail nor, as an operator could opt in to, with Node's permissions only; plain bodies run in quickjs"; // prettier-ignore
const REWRITE =
  "this version does not have an engine with the Node API or packages yet; write it in plain JavaScript (ES2023, console, timers, URL, TextEncoder, TextDecoder, atob, btoa, structuredClone, crypto.randomUUID)"; // prettier-ignore

/** Why a plain interpreter is not enough, in words; undefined when it is. */
function demandOf({ needsNode, dependencies }: Needs): string | undefined {
  const parts: string[] = [];
  if (needsNode.length > 0) parts.push(`the code uses ${needsNode.join(", ")}`);
  if (dependencies.length > 0) parts.push(`it depends on ${dependencies.map(({ name }) => name).join(", ")}`);
  return parts.length === 0 ? undefined : parts.join(" and ");
}

function whyQuickjs({ image }: Needs, setting: EngineSetting): string {
  const parts = ["plain JavaScript without packages"];
  if (image !== undefined) parts.push(`the image ${image} is a preference that nothing here needs`);
  if (setting === "node") parts.push("the node engine is not in this version, and plain bodies do not need it");
  if (setting === "quickjs") parts.push("as the operator set");
  return parts.join("; ");
}

function unavailable(engine: EngineName, demand: string | undefined, what: string): DynamicMcpError {
  const because = demand === undefined ? "" : `${demand}, which needs the ${engine} engine; `;
  return new DynamicMcpError("ENGINE_UNAVAILABLE", because + what, { data: { engine, ...(demand && { demand }) } });
}
