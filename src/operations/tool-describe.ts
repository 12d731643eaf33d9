import { DynamicMcpError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { nearest } from "../core/names.ts";
import { textContent } from "../core/results.ts";
import type { Named, View } from "../surface/surface.ts";
import { operation } from "./operation.ts";
import { cut } from "./one-line.ts";
import { fill, nameLine, schemasOf, signatureLine } from "./tool-lines.ts";

export const toolDescribe = operation({
  name: "tool_describe",
  toolset: "searching",
  title: "Describe tools",
  description: "Shows the full schemas of tools that tool_search has found, for those whose signature is not enough.",
  permission: "use",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: (z) =>
    z.strictObject({
      names: z.array(z.string().min(1).max(300)).min(1).max(20),
      detail: z.enum(["signatures", "schemas"]).default("schemas"),
    }),
  accept({ name, ...args }) {
    const given = args["names"] ?? name;
    return { ...args, ...(given !== undefined && { names: typeof given === "string" ? [given] : given }) };
  },

  async handle({ view, fleet }, { names, detail }, { caller }) {
    const now = view(caller);
    const wanted = [...new Set(names)].map((name) => ({ name, named: now.find("tool", name) }));
    const unknown = wanted.flatMap(({ name, named }) => (named ? [] : [unknownText(name, now)]));
    if (unknown.length === wanted.length)
      throw new DynamicMcpError("TOOL_NOT_FOUND", unknown.join("\n"), { data: { names } });
    const known = wanted.flatMap(({ named }) => (named ? [named] : []));
    const lines = known.map((named) =>
      detail === "signatures" ? signatureLine(named, fleet) : JSON.stringify(describe(named)),
    );
    const { shown, left } = fill(lines, lines.length);
    const rest = known.slice(known.length - left).map((named) => nameLine(named, fleet));
    const more = left > 0 ? ["Too large to show with these; ask for them alone:", ...rest] : [];
    return { content: [textContent([...shown, ...more, ...unknown].join("\n"))] };
  },
});

/** All that its list has of it. */
function describe(named: Named<"tool">): JsonObject {
  const item = named.load();
  const { title, outputSchema, annotations } = item;
  const { group } = named.listing;
  return {
    ...schemasOf(item, named.name),
    ...(group !== undefined && { server: group }),
    ...(title !== undefined && { title }),
    ...(outputSchema && { outputSchema }),
    ...(annotations && { annotations: { ...annotations } }),
  };
}

/** Names looked at for the nearest: a courtesy must not cost more than the answer. */
const MAX_COMPARED = 2_000;

function unknownText(name: string, view: View): string {
  const names = view
    .all("tool")
    .slice(0, MAX_COMPARED)
    .map((named) => named.name);
  const similar = nearest(name, names);
  const shown = JSON.stringify(cut(name, 80));
  return `There is no tool ${shown}${similar === undefined ? "; tool_search finds them" : `; did you mean ${similar}?`}`;
}
