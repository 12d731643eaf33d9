import { DynamicMcpError } from "../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { AttachedServers } from "../operations/operations.ts";
import type { Definitions } from "./definitions.ts";

/** @param apply makes the fleet what the definitions say */
export function createAttachedServers(options: {
  definitions: Pick<Definitions, "attached" | "readAttached">;
  fleet: Pick<Fleet, "server" | "known">;
  most: number;
  apply: () => void;
}): AttachedServers {
  const { definitions, fleet, most, apply } = options;
  const { attached } = definitions;
  return {
    async attach({ name, isReplacing, server }, deadline) {
      const before = attached.get(name);
      if (fleet.server(name) && !(before && isReplacing)) {
        throw new DynamicMcpError("NAME_TAKEN", `there is a server ${JSON.stringify(name)} already${before ? "; set `replace` to attach it anew" : ""}`, { data: { name } }); // prettier-ignore
      }
      if (!before && attached.size >= most) {
        throw new DynamicMcpError("SERVER_LIMIT", `${attached.size} servers are attached, as many as may be; detach one first`); // prettier-ignore
      }
      const [definition] = definitions.readAttached(name, asItIs(server) as JsonObject).definitions;
      if (definition?.target === undefined) {
        throw new DynamicMcpError("CONFIG_INVALID", `${name} cannot be attached: ${definition?.problem ?? "there is nothing to attach"}`); // prettier-ignore
      }
      attached.set(name, definition);
      apply();
      try {
        return await fleet.known(name, deadline);
      } catch (error) {
        if (before) attached.set(name, before);
        else attached.delete(name);
        apply();
        throw error;
      }
    },

    async detach(name) {
      const isThere = attached.delete(name);
      if (isThere) apply();
      return isThere;
    },
  };
}

/** Texts of a call are meant as they are: a variable in them would show its caller our environment. */
function asItIs(value: Json): Json {
  if (typeof value === "string") return value.replaceAll("${", () => "$${");
  if (Array.isArray(value)) return value.map(asItIs);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, asItIs(each)]));
}
