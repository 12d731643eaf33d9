import type { Caller } from "../core/caller.ts";
import { once } from "../core/once.ts";
import type { Source } from "../core/source.ts";
import type { FoundResource, Named } from "./surface.ts";
import { parseTemplate, type Effort } from "./uri-template.ts";

/** For one URI over all templates: servers may have thousands, made so that each is much work. */
const MAX_EFFORT = 5_000_000;

/**
 * Who reads a URI that no list shows. A template that names at least a scheme goes before what a Source has handed out,
 * and that before templates that take anything: else the greediest server would get what another one has promised.
 */
export function createTemplateFinder(
  templates: () => readonly Named<"template">[],
  sources: readonly Source[],
): (uri: string, caller: Caller) => FoundResource | undefined {
  const parsed = once(() => {
    const all = templates().map((named) => ({ named, template: parseTemplate(named.listing.name) }));
    // Narrow ones first; equally narrow ones stay in the order of the list.
    const inOrder = all.toSorted((a, b) => b.template.literalChars - a.template.literalChars);
    const hasScheme = ({ template }: (typeof all)[number]) => template.prefix.includes(":");
    return { narrow: inOrder.filter(hasScheme), greedy: inOrder.filter((each) => !hasScheme(each)) };
  });

  return (uri, caller) => {
    const { narrow, greedy } = parsed();
    const effort = { left: MAX_EFFORT };
    return firstMatch(narrow, uri, effort) ?? claimed(sources, uri, caller) ?? firstMatch(greedy, uri, effort);
  };
}

function firstMatch(
  all: readonly { named: Named<"template">; template: ReturnType<typeof parseTemplate> }[],
  uri: string,
  effort: Effort,
): FoundResource | undefined {
  for (const { named, template } of all) {
    const variables = template.match(uri, effort);
    if (variables) return { named, variables };
  }
  return undefined;
}

function claimed(sources: readonly Source[], uri: string, caller: Caller): FoundResource | undefined {
  for (const source of sources) {
    const id = source.claims?.(uri, caller);
    if (id !== undefined) return { source, id };
  }
  return undefined;
}
