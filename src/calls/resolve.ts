import type { Caller } from "../core/caller.ts";
import { DynamicMcpError } from "../core/errors.ts";
import { nearest } from "../core/names.ts";
import type { Target } from "../core/source.ts";
import type { Named, Surface, View } from "../surface/surface.ts";
import { Resolved, type Identified } from "./stations.ts";

/**
 * Finds what a name stands for, in what this caller may see. What exists but is not theirs is not found either.
 *
 * @throws TOOL_NOT_FOUND, PROMPT_NOT_FOUND, RESOURCE_NOT_FOUND; the message has the nearest name
 */
export function resolve(call: Identified, surface: Surface): Resolved {
  const { wanted, caller } = call.request;
  const view = surface.view(caller);
  switch (wanted.kind) {
    case "tool": {
      const named = view.find("tool", wanted.name) ?? notFound("tool", wanted.name, view);
      return found(call, named, { kind: "tool", item: named.load(), args: wanted.args });
    }
    case "prompt": {
      const named = view.find("prompt", wanted.name) ?? notFound("prompt", wanted.name, view);
      return found(call, named, { kind: "prompt", id: named.listing.id, args: wanted.args });
    }
    case "resource": {
      const { uri } = wanted;
      const hit = view.findResource(uri, caller) ?? resourceNotFound(uri);
      if (!("named" in hit)) {
        const { source, id } = hit;
        // What no list bounds is limited together: else every URI would have a rate of its own.
        return new Resolved(call, { source, target: { kind: "resource", id, uri }, name: uri, scope: source.name });
      }
      const { id, kind } = hit.named.listing;
      const target: Target =
        kind === "template" ? { kind, id, uri, variables: hit.variables } : { kind: "resource", id, uri };
      return found(call, hit.named, target);
    }
    case "completion": {
      const { ref, argument, context } = wanted;
      const named =
        ref.kind === "prompt"
          ? (view.find("prompt", ref.name) ?? notFound("prompt", ref.name, view))
          : completable(view, ref.uri, caller);
      return found(call, named, { kind: "completion", id: named.listing.id, argument, context });
    }
  }
}

/** A template by its text, or what a whole URI leads to. */
function completable(view: View, uri: string, caller: Caller): Named {
  const template = view.all("template").find(({ listing }) => listing.name === uri);
  if (template) return template;
  const hit = view.findResource(uri, caller);
  return hit && "named" in hit ? hit.named : resourceNotFound(uri);
}

function found(call: Identified, { source, listing }: Named, target: Target): Resolved {
  return new Resolved(call, { source, target, name: listing.name });
}

function notFound(kind: "tool" | "prompt", name: string, view: View): never {
  const similar = nearest(
    name,
    (function* () {
      // Suggestions are a courtesy: they must not cost more than the call.
      for (const named of view.all(kind).slice(0, 2_000)) yield named.name;
    })(),
  );
  throw new DynamicMcpError(
    kind === "tool" ? "TOOL_NOT_FOUND" : "PROMPT_NOT_FOUND",
    `there is no ${kind} ${JSON.stringify(shorten(name))}${similar ? `; did you mean ${similar}?` : `; ${kind}s/list shows what there is`}`,
    { data: { name: shorten(name) } },
  );
}

function resourceNotFound(uri: string): never {
  throw new DynamicMcpError("RESOURCE_NOT_FOUND", `there is no resource ${JSON.stringify(shorten(uri))}`, {
    data: { uri: shorten(uri) },
  });
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 197)}...` : text;
}
