import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { DynamicMcpError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import { definePack, type Pack } from "./pack.ts";

const LISTS = ["tools", "prompts", "resources", "templates"] as const;

/**
 * Loads a pack from an ES module: its default export, or its export `pack`. A TypeScript file works where Node strips
 * types by itself (22.18 and newer).
 *
 * @param path of the file, relative to `from`
 * @throws PACK_FAILED with the reason
 */
export async function loadPack(path: string, from: string): Promise<Pack> {
  const file = resolve(from, path);
  const failed = (why: string, cause?: unknown) =>
    new DynamicMcpError("PACK_FAILED", `the pack ${path} could not be loaded: ${why}`, { data: { path: file }, cause });
  let module: { default?: unknown; pack?: unknown };
  try {
    module = (await import(pathToFileURL(file).href)) as typeof module;
  } catch (cause) {
    throw failed(cause instanceof Error ? cause.message : String(cause), cause);
  }
  const pack = module.default ?? module.pack;
  if (!isJsonObject(pack)) throw failed("it exports no pack; export one as default, made with definePack");
  for (const key of LISTS) {
    const list: unknown = pack[key];
    if (list !== undefined && !Array.isArray(list)) throw failed(`its \`${key}\` must be a list`);
  }
  try {
    return definePack(pack as unknown as Pack);
  } catch (cause) {
    throw failed(cause instanceof Error ? cause.message : String(cause), cause);
  }
}
