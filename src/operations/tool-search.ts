import type { RunContext } from "../core/source.ts";
import { wireName } from "../core/names.ts";
import { textContent } from "../core/results.ts";
import type { Named } from "../surface/surface.ts";
import { operation } from "./operation.ts";
import type { OperationServices, Toolset } from "./operations.ts";
import { someOf } from "./one-line.ts";
import { isPending, missingText, waitForPending } from "./server-states.ts";
import { DETAILS, type Detail, fill, MAX_ANSWER_CHARS, nameLine, schemasOf, signatureLine } from "./tool-lines.ts";

const LIMIT = { max: 20, default: 5 };
/** Those of our own tools that a list shows need not be found; there are fewer. */
const MAX_OWN = 30;
/** What finds cannot be what is looked for. */
const FIXED: ReadonlySet<string> = new Set(["searching", "calling", "groups"] satisfies Toolset[]);

export const toolSearch = operation({
  name: "tool_search",
  toolset: "searching",
  title: "Find tools",
  description:
    'Finds tools that are not in your list, on this server and those behind it. One short step per query. Then call them with tool_call. Example: {"queries":["read a file","create github issue"]}',
  permission: "use",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: (z) =>
    z.strictObject({
      queries: z.array(z.string().min(1).max(1_000)).min(1).max(10),
      limit: z.int().min(1).max(LIMIT.max).default(LIMIT.default).describe("Per query"),
      detail: z.enum(DETAILS).default("signatures"),
    }),
  accept({ query, ...args }) {
    const given = args["queries"] ?? query;
    return { ...args, ...(given !== undefined && { queries: typeof given === "string" ? [given] : given }) };
  },

  async handle(services, { queries, limit, detail }, ctx) {
    let answers = searchAll(services, queries, limit, ctx);
    if (answers.some(({ hits }) => hits.length === 0) && services.fleet.servers().some(isPending)) {
      await waitForPending(services.fleet, ctx);
      answers = searchAll(services, queries, limit, ctx);
    }
    const seen = new Set<Named<"tool">>();
    const blocks = answers.map((answer) => blockOf(answer, { services, detail, seen, hasMore: queries.length > 1 }));
    const ends = [
      ...(answers.some(({ hits }) => hits.length === 0) ? [whatToTry(services)] : []),
      ...[missingText(services.fleet)].filter(Boolean),
    ];
    const { shown, left } = fill(blocks.flat(), blocks.flat().length);
    if (left > 0) shown.push(`${left} lines left out: ask for less at once, or with detail "signatures".`);
    return { content: [textContent([...shown, ...ends].join("\n"))] };
  },
});

interface Answer {
  query: string;
  hits: Named<"tool">[];
  total: number;
}

function searchAll(services: OperationServices, queries: readonly string[], limit: number, { caller }: RunContext) {
  const { finder, isOffered } = services;
  const isDirect = services.view(caller).exposure === "direct";
  const mayBeMeant = ({ listing: { toolset } }: Named<"tool">) =>
    toolset === undefined || (!isDirect && !FIXED.has(toolset) && isOffered(toolset));
  return [...new Set(queries)].map((query): Answer => {
    const { hits, total } = finder.find(caller, query, { limit: limit + MAX_OWN });
    const key = wireName(query.trim());
    const tools = hits.map(({ named }) => named).filter((named) => mayBeMeant(named) || wireName(named.name) === key);
    return { query, hits: tools.slice(0, limit), total: total - (hits.length - tools.length) };
  });
}

function blockOf(
  { query, hits, total }: Answer,
  { services: { fleet }, detail, seen, hasMore }: { services: OperationServices; detail: Detail; seen: Set<Named<"tool">>; hasMore: boolean }, // prettier-ignore
): string[] {
  if (hits.length === 0) return [`# ${query}: nothing fits`];
  const count = total > hits.length ? ` (${hits.length} of ${total})` : "";
  const lines = hits.map((named) => {
    if (seen.has(named)) return `${named.name} (see above)`;
    seen.add(named);
    if (detail === "names") return nameLine(named, fleet);
    if (detail === "signatures") return signatureLine(named, fleet);
    const { group } = named.listing;
    const text = JSON.stringify({
      ...schemasOf(named.load(), named.name),
      ...(group !== undefined && { server: group }),
    });
    return text.length > MAX_ANSWER_CHARS / 2 ? signatureLine(named, fleet) : text;
  });
  return [...(hasMore || count !== "" ? [`# ${query}${count}`] : []), ...lines];
}

function whatToTry({ fleet }: OperationServices): string {
  const names = fleet
    .servers()
    .filter(({ status }) => status !== "disabled" && status !== "invalid")
    .map(({ name }) => name);
  const servers = names.length === 0 ? "" : ` Servers: ${someOf(names, 20)}.`;
  return `Where nothing fits, try other words: an action and its object, such as "create issue", or a server's name.${servers}`;
}
