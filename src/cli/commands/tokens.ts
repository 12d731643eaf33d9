import { EXPOSURES } from "../../core/exposure.ts";
import { once } from "../../core/once.ts";
import type { Named, View } from "../../surface/surface.ts";
import { type Command, JSON_FLAG } from "../command.ts";
import { knowServers, tellSilent } from "../known-tools.ts";
import { OPERATOR } from "../operate.ts";
import { json, table } from "../print.ts";

/** Large, and only wanted here. */
const encoding = once(() => import("gpt-tokenizer/encoding/o200k_base"));
/** What tools write is text, also where it looks like a mark of the model's own. */
const AS_TEXT = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };

interface Cost {
  tools: number;
  tokens: number;
}

export const tokens: Command = {
  name: "tokens",
  summary: "Show what tools cost a model, for each server and for each way to list them.",
  details:
    "Counts name, description and input schema, which is what models are shown, with the tokenizer o200k_base. Built-in tools are counted as this profile lists them.",
  args: [],
  flags: [JSON_FLAG],
  examples: ["tokens", "tokens --profile proxy --json"],
  async handler(context) {
    const { surface, fleet, settings } = await context.app();
    const silent = await knowServers(context);
    const count = await counter();
    const costOf = (all: readonly Named<"tool">[]): Cost => ({
      tools: all.length,
      tokens: all.reduce((sum, named) => sum + count(named), 0),
    });
    const isOurs = ({ listing }: Named<"tool">) => listing.toolset !== undefined;
    const now = surface.view(OPERATOR);
    const others = now.all("tool").filter((named) => !isOurs(named));
    const servers = fleet.servers().map(({ name, status }) => {
      return { name, status, ...costOf(others.filter(({ listing }) => listing.group === name)) };
    });
    const madeHere = costOf(others.filter(({ listing }) => listing.group === undefined));
    const whole = costOf(listed(surface.view({ ...OPERATOR, exposure: "direct" }))).tokens;
    const exposures = EXPOSURES.map((exposure) => {
      const view = surface.view({ ...OPERATOR, exposure });
      const { tools, tokens: cost } = costOf(listed(view));
      const builtIn = costOf(listed(view).filter(isOurs)).tokens;
      const is = exposure === settings.tools.exposure ? { isUsed: true } : {};
      return { exposure, ...(exposure === "auto" && { means: view.exposure }), tools, tokens: cost, builtIn, saved: whole - cost, ...is }; // prettier-ignore
    });

    tellSilent(context, silent);
    if (context.isJson) {
      context.terminal.out(json({ encoding: "o200k_base", servers, madeHere, exposures, unavailable: silent }));
      return;
    }
    const rows = [
      ...servers.map(({ name, tools, tokens: cost, status }) => [name, String(tools), String(cost), status]),
      ...(madeHere.tools > 0 ? [["(made here)", String(madeHere.tools), String(madeHere.tokens), ""]] : []),
    ];
    if (rows.length > 0) context.terminal.out(`${table(["server", "tools", "tokens", "status"], rows)}\n`);
    const ways = exposures.map(({ exposure, means, tools, tokens: cost, builtIn, saved, isUsed }) => [
      `${exposure}${means === undefined ? "" : ` (${means})`}`,
      String(tools),
      String(cost),
      String(builtIn),
      whole === 0 ? "" : `${saved} (${Math.trunc((saved / whole) * 100)}%)`,
      isUsed ? "used" : "",
    ]);
    context.terminal.out(table(["exposure", "listed", "tokens", "of them built-in", "saved", ""], ways));
  },
};

const listed = (view: View): readonly Named<"tool">[] => view.list("tool");

/** Counts each tool once. */
async function counter(): Promise<(named: Named<"tool">) => number> {
  const { countTokens } = await encoding();
  const known = new Map<Named<"tool">["listing"], number>();
  return (named) => {
    const before = known.get(named.listing);
    if (before !== undefined) return before;
    const { description, inputSchema } = named.load();
    const tokensOfTool = countTokens(JSON.stringify({ name: named.name, description, inputSchema }), AS_TEXT);
    known.set(named.listing, tokensOfTool);
    return tokensOfTool;
  };
}
