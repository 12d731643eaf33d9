import type { ToolItem } from "../core/item.ts";
import { wireName } from "../core/names.ts";
import type { Listing, Source } from "../core/source.ts";
import type { ServerState } from "../fleet/fleet.ts";
import { OPERATIONS } from "./all.ts";
import { listedSchemas } from "./listed.ts";
import type { Operation, OperationServices } from "./operations.ts";

export interface OperationsOptions {
  /** Operations that need `author` list an `adminToken`; it is taken out of the arguments before they get here. */
  requiresAdminToken: boolean;
  /** Whether the operator may attach servers by calls; else there are no such operations. Default: no. */
  canAttach?: boolean;
}

const NOTHING: readonly never[] = Object.freeze([]);

/** In the place of a toolset that cannot be had now: no profile names it, so it is not listed, and can still be called. */
const UNAVAILABLE = "unavailable";

/**
 * Our operations as a {@link Source}. They never change while the server runs, but shells come and go with what they
 * need, and one of them tells in its description which servers there are.
 */
export function createOperations(services: OperationServices, options: OperationsOptions): Source {
  const operations = OPERATIONS.filter(({ toolset }) => toolset !== "attaching" || options.canAttach);
  const byName = new Map(operations.map((operation) => [operation.name, operation]));
  const listings = new Map(operations.map((each) => [each, listingsOf(each)]));
  // What the lists were last made from; asked on the way of every call.
  let all: readonly Listing<"tool">[] | undefined;
  let servers: readonly ServerState[] = NOTHING;
  let hasShells = false;
  let hasLocal = false;

  function tools(): readonly Listing<"tool">[] {
    const { shells, fleet, hasLocalTools } = services;
    const isSame = all && servers === fleet.servers() && hasShells === shells.isAvailable() && hasLocal === hasLocalTools(); // prettier-ignore
    if (all && isSame) return all;
    servers = fleet.servers();
    hasShells = shells.isAvailable();
    hasLocal = hasLocalTools();
    const next = operations.flatMap((each) => listings.get(each)?.() ?? []).toSorted(byKey);
    if (!all || next.some((each, at) => each !== all?.[at])) all = next;
    return all;
  }

  /** The same listing as long as what it says is the same. */
  function listingsOf(operation: Operation): () => Listing<"tool"> {
    const made = new Map<string, Listing<"tool">>();
    return () => {
      const description = descriptionOf(operation, services);
      const isThere = operation.toolset !== "sandbox" || services.shells.isAvailable();
      const key = `${isThere} ${description}`;
      const listing = made.get(key) ?? listingOf(operation, { description, isThere, options });
      if (made.size >= MAX_LISTINGS) made.clear();
      made.set(key, listing);
      return listing;
    };
  }

  const operationOf = (item: ToolItem): Operation => {
    const operation = byName.get(item.id);
    if (!operation) throw new TypeError(`there is no operation ${item.id}`);
    return operation;
  };

  return {
    name: "operations",
    items: ((kind) => (kind === "tool" ? tools() : NOTHING)) as Source["items"],
    check: (item, args) => operationOf(item).check(args),
    async run(target, ctx) {
      if (target.kind !== "tool") throw new TypeError(`operations have no ${target.kind}`);
      return operationOf(target.item).run(services, target.args, ctx);
    },
    onChange(listener) {
      const ends = [services.shells.onChange(() => listener("tool")), services.fleet.onChange(() => listener("tool"))];
      return () => {
        for (const end of ends) end();
      };
    },
  };
}

/** Of one operation: servers that come and go give the same few texts again. */
const MAX_LISTINGS = 8;

export function descriptionOf(
  { description }: Pick<Operation, "description">,
  services: Pick<OperationServices, "fleet" | "hasLocalTools">,
): string {
  return typeof description === "string" ? description : description(services);
}

function listingOf(
  operation: Operation,
  { description, isThere, options }: { description: string; isThere: boolean; options: OperationsOptions },
): Listing<"tool"> {
  const { name, title, permission, annotations, toolset } = operation;
  const withToken = options.requiresAdminToken && permission !== "use";
  return {
    kind: "tool",
    id: name,
    name,
    toolset: isThere ? toolset : UNAVAILABLE,
    load() {
      const { inputSchema, outputSchema } = listedSchemas(name, { withToken });
      return { kind: "tool", id: name, name, title, description, revision: 1, inputSchema, outputSchema, annotations, permission }; // prettier-ignore
    },
  };
}

function byKey(a: Listing, b: Listing): number {
  return wireName(a.name) < wireName(b.name) ? -1 : 1;
}
