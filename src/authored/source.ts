import { isJsonObject, type JsonObject } from "../core/json.ts";
import { unfit } from "../core/problems.ts";
import type { Source } from "../core/source.ts";
import type { Programs } from "./programs.ts";
import { actorOf } from "./authored.ts";
import { resultOf, runProgram } from "./run.ts";
import type { AuthoredServices } from "./services.ts";
import type { Snapshot } from "./snapshot.ts";

const NOTHING: readonly never[] = Object.freeze([]);

/** Authored tools as a {@link Source}. Everybody sees the same ones for now. */
export function createAuthoredSource(services: AuthoredServices, snapshot: Snapshot, programs: Programs): Source {
  return {
    name: "authored",

    items: ((kind) => (kind === "tool" ? snapshot.listings() : NOTHING)) as Source["items"],

    async check(item, args) {
      const { inputSchema } = await programs.get(item);
      if (!inputSchema) return unwrapped(args);
      const problems = await services.schemas.validate(inputSchema, args);
      if (problems.length > 0) throw unfit(`the arguments of ${item.name} do not fit its inputSchema`, problems);
      return args;
    },

    async run(target, ctx) {
      if (target.kind !== "tool") throw new TypeError(`authored has no ${target.kind}`);
      const { runnable, outputSchema } = await programs.get(target.item);
      const end = await runProgram(services, runnable, target.args, actorOf(ctx));
      return resultOf(end, services, { name: target.item.name, outputSchema });
    },

    onChange: (listener) => snapshot.onChange(() => listener("tool")),
  };
}

/** Clients of the older system put everything under `args`, which was the only parameter of every tool. */
function unwrapped(args: JsonObject): JsonObject {
  const inner = Object.hasOwn(args, "args") ? args["args"] : undefined;
  return isJsonObject(inner) && Object.keys(args).length === 1 ? inner : args;
}
