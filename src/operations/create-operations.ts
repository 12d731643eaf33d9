import type { ToolItem } from "../core/item.ts";
import { wireName } from "../core/names.ts";
import type { Listing, Source } from "../core/source.ts";
import { OPERATIONS } from "./all.ts";
import { listedSchemas } from "./listed.ts";
import type { Operation, OperationServices } from "./operations.ts";

export interface OperationsOptions {
  /** Operations that need `author` list an `adminToken`; it is taken out of the arguments before they get here. */
  requiresAdminToken: boolean;
}

const NOTHING: readonly never[] = Object.freeze([]);

/** In the place of a toolset that cannot be had now: no profile names it, so it is not listed, and can still be called. */
const UNAVAILABLE = "unavailable";

/** Our operations as a {@link Source}. They never change while the server runs, but shells come and go with what they need. */
export function createOperations(services: OperationServices, options: OperationsOptions): Source {
  const byName = new Map(OPERATIONS.map((operation) => [operation.name, operation]));
  const listings: readonly Listing<"tool">[] = OPERATIONS.map((each) => listingOf(each, options)).toSorted(byKey);

  const withoutShells = listings.map((each) => (each.toolset === "sandbox" ? { ...each, toolset: UNAVAILABLE } : each));

  const operationOf = (item: ToolItem): Operation => {
    const operation = byName.get(item.id);
    if (!operation) throw new TypeError(`there is no operation ${item.id}`);
    return operation;
  };

  return {
    name: "operations",
    items: ((kind) =>
      kind !== "tool" ? NOTHING : services.shells.isAvailable() ? listings : withoutShells) as Source["items"],
    check: (item, args) => operationOf(item).check(args),
    async run(target, ctx) {
      if (target.kind !== "tool") throw new TypeError(`operations have no ${target.kind}`);
      return operationOf(target.item).run(services, target.args, ctx);
    },
    onChange: (listener) => services.shells.onChange(() => listener("tool")),
  };
}

function listingOf(operation: Operation, { requiresAdminToken }: OperationsOptions): Listing<"tool"> {
  const { name, title, description, permission, annotations, toolset } = operation;
  const withToken = requiresAdminToken && permission === "author";
  return {
    kind: "tool",
    id: name,
    name,
    toolset,
    load() {
      const { inputSchema, outputSchema } = listedSchemas(name, { withToken });
      return { kind: "tool", id: name, name, title, description, revision: 1, inputSchema, outputSchema, annotations, permission }; // prettier-ignore
    },
  };
}

function byKey(a: Listing, b: Listing): number {
  return wireName(a.name) < wireName(b.name) ? -1 : 1;
}
