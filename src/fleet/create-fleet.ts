import type { Deadline } from "../core/deadline.ts";
import type { DynamicMcpError } from "../core/errors.ts";
import type { ItemKind } from "../core/item.ts";
import { LOG_LEVELS, type LogLevel, type ChannelMessage } from "../core/source.ts";
import { createTurns } from "../core/turns.ts";
import type { ServerDefinition } from "./definition.ts";
import { removed, unavailable } from "./errors.ts";
import type { Fleet, ServerState } from "./fleet.ts";
import { Listings } from "./listings.ts";
import { serverNotFound } from "./not-found.ts";
import { KINDS } from "./offer.ts";
import { DEFAULT_LIMITS, type FleetOptions } from "./options.ts";
import { ParkedCalls } from "./parked.ts";
import { FleetServer } from "./server.ts";
import { createFleetSource } from "./source.ts";
import { createBursts, createListeners } from "./listeners.ts";

/** @returns a fleet of no servers; {@link Fleet.apply} gives it some */
export function createFleet(options: FleetOptions): Fleet {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const servers = new Map<string, FleetServer>();
  /** Of servers that are no longer there, while they end. */
  const ending = new Set<Promise<void>>();
  const parked = new ParkedCalls<FleetServer["parked"] extends ParkedCalls<infer P> ? P : never>(limits);
  const listings = {
    tool: new Listings("tool"),
    prompt: new Listings("prompt"),
    resource: new Listings("resource"),
    template: new Listings("template"),
  };
  const onState = createListeners<[]>();
  const onList = createListeners<[ItemKind]>();
  const onUpdated = createListeners<[string]>();
  const onMessage = createListeners<[ChannelMessage]>();
  const tellState = createBursts(() => onState.tell());
  const learners = createTurns(limits.learners);
  const toStock = new Set<ItemKind>();
  let states: readonly ServerState[] | undefined;
  let settled: Promise<void> = Promise.resolve();
  let isClosed = false;

  const inOrder = () => [...servers.values()].toSorted((a, b) => (a.definition.name < b.definition.name ? -1 : 1));

  function stateChanged(): void {
    states = undefined;
    tellState();
  }

  /** A burst of lists that come in makes one new list. */
  const stock = createBursts(() => {
    const ordered = inOrder();
    const kinds = [...toStock];
    toStock.clear();
    for (const kind of kinds) {
      const stocks = ordered.flatMap(({ definition, offer }) =>
        offer && offer.shelves[kind].keys.length > 0 ? { definition, shelf: offer.shelves[kind] } : [],
      );
      const hasChanged = listings[kind].stock(stocks, (server, text) => servers.get(server)?.ring.add("gateway", text));
      if (hasChanged) onList.tell(kind);
    }
  });

  function listsChanged(kinds: readonly ItemKind[]): void {
    for (const kind of kinds) toStock.add(kind);
    stock();
  }

  function add(definition: ServerDefinition): FleetServer {
    const server = new FleetServer(definition, options, limits, parked, {
      onState: stateChanged,
      onLists: listsChanged,
      onResourceUpdated: (uri) => onUpdated.tell(uri),
      onDone: (done) => onMessage.tell(done),
      onMessage({ owner }, { level, logger, data }) {
        if (owner?.channel === undefined || !(LOG_LEVELS as readonly unknown[]).includes(level)) return;
        onMessage.tell({
          level: level as LogLevel,
          ...(typeof logger === "string" ? { logger } : {}),
          data: data ?? null,
          channel: owner.channel,
        });
      },
    });
    servers.set(definition.name, server);
    return server;
  }

  function end(server: FleetServer, why: DynamicMcpError): void {
    const closing = server.close(why).finally(() => ending.delete(closing));
    ending.add(closing);
  }

  /** Reads what is not known yet. One that hangs does not keep the others waiting for long. */
  function learn(server: FleetServer): void {
    void learners(async () => {
      if (isClosed) return;
      let timer: NodeJS.Timeout | undefined;
      const slow = new Promise<void>((done) => (timer = setTimeout(done, limits.slowMs).unref()));
      await Promise.race([server.learn(), slow]);
      clearTimeout(timer);
    });
  }

  async function recall(added: readonly FleetServer[]): Promise<void> {
    await Promise.all(added.map((server) => server.recall()));
    if (toStock.size > 0) stock();
    stock.now();
    for (const server of added) learn(server);
  }

  function find(name: string): FleetServer {
    const server = servers.get(name);
    if (server) return server;
    throw serverNotFound(name, servers.keys());
  }

  return {
    source: createFleetSource({
      server: (name) => servers.get(name),
      servers: () => servers.values(),
      listings,
      validate: options.validate,
      onChange: onList.add,
      onResourceUpdated: onUpdated.add,
      onMessage: onMessage.add,
    }),

    servers: () => (states ??= inOrder().map((server) => server.state())),
    server: (name) => servers.get(name)?.state(),

    apply(definitions) {
      const change = { added: [] as string[], changed: [] as string[], removed: [] as string[] };
      const wanted = new Map(definitions.map((definition) => [definition.name, definition]));
      const fresh: FleetServer[] = [];
      let isTouched = false;
      for (const [name, server] of [...servers]) {
        if (wanted.has(name)) continue;
        servers.delete(name);
        change.removed.push(name);
        isTouched = true;
        end(server, removed(name));
      }
      for (const [name, definition] of wanted) {
        const before = servers.get(name);
        if (before && isSame(before.definition, definition)) continue;
        isTouched = true;
        const isOther = !before || isShownOtherwise(before.definition, definition);
        if (isOther) change[before ? "changed" : "added"].push(name);
        if (before && isConnectedAlike(before.definition, definition)) {
          before.present(definition);
          continue;
        }
        if (before) end(before, unavailable(name, "its definition has changed, and it was started anew"));
        const server = add(definition);
        server.assume(before?.offer);
        fresh.push(server);
      }
      if (change.removed.length + change.changed.length > 0) for (const kind of KINDS) toStock.add(kind);
      if (toStock.size > 0 && fresh.length === 0) stock();
      if (isTouched) stateChanged();
      settled = Promise.all([settled, recall(fresh)]).then(
        () => {},
        (error: unknown) => options.log.error({ err: error }, "what is remembered of servers could not be read"),
      );
      return change;
    },

    settled: () => settled,

    async known(name, deadline: Deadline) {
      const server = find(name);
      await server.known(deadline);
      stock.now();
      return server.state();
    },

    async restart(name, deadline) {
      const server = find(name);
      await server.restart(deadline);
      stock.now();
      return server.state();
    },

    logs: (name) => servers.get(name)?.ring.lines() ?? [],
    onChange: onState.add,

    counts() {
      const all = [...servers.values()].filter(({ isUsable }) => isUsable);
      return {
        servers: servers.size,
        connected: all.filter(({ links }) => links.open.length > 0).length,
        down: all.filter(({ health }) => health.outage).length,
      };
    },

    async close() {
      isClosed = true;
      parked.close();
      for (const server of servers.values())
        end(server, unavailable(server.definition.name, "this gateway is stopping"));
      await Promise.all(ending);
      stock.stop();
      tellState.stop();
    },
  };
}

/** Whether connections made for the one do for the other. */
function isConnectedAlike(a: ServerDefinition, b: ServerDefinition): boolean {
  const decides = ({ digest, isEnabled, problem, secrets, target }: ServerDefinition) =>
    JSON.stringify([digest, isEnabled, problem, secrets, target]);
  return decides(a) === decides(b);
}

function isSame(a: ServerDefinition, b: ServerDefinition): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** Everything counts but where it was read. */
function isShownOtherwise(a: ServerDefinition, b: ServerDefinition): boolean {
  return JSON.stringify({ ...a, where: "" }) !== JSON.stringify({ ...b, where: "" });
}
