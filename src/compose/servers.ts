import { join } from "node:path";
import type { Ambient, ServersPart } from "../config/ambient.ts";
import type { Settings } from "../config/schema.ts";
import { LOCAL } from "../core/caller.ts";
import { DynamicMcpError } from "../core/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import type { Logger } from "../core/source.ts";
import { VERSION } from "../core/version.ts";
import { createFleet } from "../fleet/create-fleet.ts";
import { createStoredServers } from "../fleet/create-stored-servers.ts";
import type { ServerDefinition, ServerOrigin } from "../fleet/definition.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { readDefinitions, type ReadContext } from "../fleet/read-definition.ts";
import type { StoredServer, StoredServers } from "../fleet/stored-servers.ts";
import type { AttachedServers } from "../operations/operations.ts";
import type { HttpProxies } from "../machine/net/http-pool.ts";
import type { Schemas } from "../schemas/schemas.ts";
import type { Store } from "../store/store.ts";
import { createConnect } from "../upstreams/create-connect.ts";

/** The servers we have, and the three places where they come from. */
export interface Servers {
  fleet: Fleet;
  stored: StoredServers;
  attached: AttachedServers;
  /** Follows the configuration file and the store until it is closed. */
  follow(): void;
  close(): Promise<void>;
}

export interface ServersOptions {
  settings: Settings;
  ambient: Ambient;
  store: Store;
  schemas: Schemas;
  /** A command asks about servers, a server finds out about them by itself. */
  isServing: boolean;
  log: Logger;
  now: () => number;
}

/** Opens no connection and waits for none. */
export async function openServers(options: ServersOptions): Promise<Servers> {
  const { settings, ambient, store, schemas, isServing, log, now } = options;
  const { upstreams, server, tools } = settings;
  const fleet = createFleet({
    connect: createConnect({
      stdio: async () => (await import("../upstreams/stdio/connect-stdio.ts")).connectStdio,
      http: async () => (await import("../upstreams/http/connect-http.ts")).connectHttpThrough(proxiesOf(ambient.env)),
    }),
    lists: store.lists,
    validate: (schema, value) => schemas.validate(schema, value),
    log,
    now,
    random: Math.random,
    client: { name: "dynamic-mcp", version: VERSION },
    isSingleClient: isServing && server.transport === "stdio",
    logFolder: join(server.dataDir, LOG_FOLDER),
    limits: { messageBytes: upstreams.maxMessageBytes, ...(!isServing && { learners: 0 }) },
  });
  const stored = createStoredServers({ store, owner: LOCAL.id, maxServers: upstreams.maxServers, isReadOnly: settings.authoring.readOnly, log, now }); // prettier-ignore
  const attached = new Map<string, ServerDefinition>();
  let file = ambient.servers;
  let kept: readonly StoredServer[] = [];
  const told = new Set<string>();

  const contextOf = (origin: ServerOrigin, folder: string, where: ReadContext["where"]): ReadContext => ({
    origin,
    folder,
    where,
    env: ambient.env,
    homeDir: ambient.homeDir,
    connectTimeoutMs: upstreams.connectTimeoutMs,
    callTimeoutMs: tools.callTimeoutMs,
  });

  function fromFile({ raw, folder, file: path, places }: ServersPart): ServerDefinition[] {
    return read(
      raw,
      contextOf("file", folder, (name) => places.get(name) ?? path),
    );
  }

  function fromStore(): ServerDefinition[] {
    return kept.flatMap(({ name, definition, problem }) => {
      const all = read(
        { [name]: definition },
        contextOf("store", server.dataDir, () => "store"),
      );
      return problem === undefined ? all : all.map((each) => ({ ...each, target: undefined, problem }));
    });
  }

  /** What is wrong with a definition is said once, by who serves: commands show it where somebody asks for it. */
  function read(raw: JsonObject, context: ReadContext): ServerDefinition[] {
    const { definitions, problems } = readDefinitions(raw, context);
    for (const { server: name, where, message, isRemark } of problems) {
      const text = `${name}: ${message}`;
      if (told.has(text)) continue;
      told.add(text);
      log[!isServing ? "debug" : isRemark ? "info" : "warn"]({ server: name, where }, message);
    }
    return definitions;
  }

  function apply(): void {
    const byName = new Map<string, ServerDefinition>();
    const all = [...(file ? fromFile(file) : []), ...fromStore(), ...attached.values()];
    for (const each of all) if (!byName.has(each.name)) byName.set(each.name, each);
    const wanted = [...byName.values()];
    if (wanted.length > upstreams.maxServers) {
      log.error({ servers: wanted.length, most: upstreams.maxServers }, "more servers are defined than may be; the last ones are left out"); // prettier-ignore
    }
    const { added, changed, removed } = fleet.apply(wanted.slice(0, upstreams.maxServers));
    const change = Object.entries({ added, changed, removed }).filter(([, names]) => names.length > 0);
    if (change.length === 0) return;
    log[isServing ? "info" : "debug"](Object.fromEntries(change), `servers ${change.map(([what, names]) => `${what}: ${names.join(", ")}`).join("; ")}`); // prettier-ignore
  }

  try {
    kept = await stored.list();
  } catch (error) {
    log.warn({ err: error }, "the servers of the store cannot be read now; those of the file are served meanwhile");
  }
  apply();
  await fleet.settled();
  const closers: (() => void)[] = [];
  let isClosed = false;
  const following = stored.follow({
    onServers(servers) {
      kept = servers;
      apply();
    },
    onRestart(name) {
      if (isServing && fleet.server(name)) void restart(name);
    },
  });
  closers.push(() => following.close());

  async function restart(name: string): Promise<void> {
    const { Deadline } = await import("../core/deadline.ts");
    const deadline = new Deadline(upstreams.connectTimeoutMs * 2);
    try {
      await fleet.restart(name, deadline);
    } catch (error) {
      log.warn({ err: error, server: name }, "a server that was to be restarted cannot be reached");
    } finally {
      deadline.close();
    }
  }

  return {
    fleet,
    stored,
    attached: {
      async attach({ name, isReplacing, server: written }, deadline) {
        const before = attached.get(name);
        if (fleet.server(name) && !(before && isReplacing)) {
          throw new DynamicMcpError("NAME_TAKEN", `there is a server ${JSON.stringify(name)} already${before ? "; set `replace` to attach it anew" : ""}`, { data: { name } }); // prettier-ignore
        }
        if (!before && attached.size >= upstreams.maxAttached) {
          throw new DynamicMcpError("SERVER_LIMIT", `${attached.size} servers are attached, as many as may be; detach one first`); // prettier-ignore
        }
        const context = contextOf("attached", server.dataDir, () => "attached");
        const [definition] = readDefinitions({ [name]: asItIs(written) }, context).definitions;
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
    },
    follow() {
      if (!upstreams.watch || !file) return;
      const initial = file;
      // Nothing at the start needs it, and it reads the file once more.
      void import("../config/watch-file.ts").then(({ watchConfigFile }) => {
        if (isClosed) return;
        const watch = watchConfigFile({
          initial,
          log,
          onServers(servers) {
            file = servers;
            apply();
          },
        });
        closers.push(() => watch.close());
      });
    },
    async close() {
      isClosed = true;
      for (const close of closers) close();
      await fleet.close();
    },
  };
}

/** As programs have always been told of them; in either case, the lower one first. */
function proxiesOf(env: Ambient["env"]): HttpProxies {
  const valueOf = (name: string) => env[name] || env[name.toUpperCase()] || undefined;
  return { http: valueOf("http_proxy"), https: valueOf("https_proxy"), except: valueOf("no_proxy") };
}

/** In the data folder: what servers write to stderr, for `servers logs`. */
const LOG_FOLDER = "logs/servers";

/** Texts of a call are meant as they are: a variable in them would show its caller our environment. */
function asItIs(value: Json): Json {
  if (typeof value === "string") return value.replaceAll("${", () => "$${");
  if (Array.isArray(value)) return value.map(asItIs);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, asItIs(each)]));
}
