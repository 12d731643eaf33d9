import type { Ambient, ServersPart } from "../config/ambient.ts";
import type { Settings } from "../config/schema.ts";
import type { JsonObject } from "../core/json.ts";
import type { Logger } from "../core/source.ts";
import type { ServerDefinition, ServerOrigin } from "../fleet/definition.ts";
import { readDefinitions, type ReadContext, type ReadDefinitions } from "../fleet/read-definition.ts";
import type { StoredServer } from "../fleet/stored-servers.ts";

/** The servers of all three places: the configuration file, the store, and those attached by calls. */
export interface Definitions {
  file: ServersPart | undefined;
  stored: readonly StoredServer[];
  readonly attached: Map<string, ServerDefinition>;
  /** Read anew; of two with one name the file's wins, then the store's. What is wrong is said once, as long as it is. */
  all(): ServerDefinition[];
  /** Of a call: nothing is kept or said. */
  readAttached(name: string, written: JsonObject): ReadDefinitions;
}

export function createDefinitions(options: {
  settings: Settings;
  ambient: Ambient;
  /** Commands show what is wrong where somebody asks for it. */
  isServing: boolean;
  log: Logger;
}): Definitions {
  const { settings, ambient, isServing, log } = options;
  const { upstreams, tools, server } = settings;
  const attached = new Map<string, ServerDefinition>();
  let told: ReadonlySet<string> = new Set();
  let telling = new Set<string>();
  /** Of the file: the last definitions that could be used. */
  let usable = new Map<string, ServerDefinition>();

  const contextOf = (origin: ServerOrigin, folder: string, where: ReadContext["where"]): ReadContext => ({
    origin,
    folder,
    where,
    env: ambient.env,
    homeDir: ambient.homeDir,
    connectTimeoutMs: upstreams.connectTimeoutMs,
    callTimeoutMs: tools.callTimeoutMs,
  });

  function tell(level: "info" | "warn" | "error", facts: object, text: string): void {
    const key = `${JSON.stringify(facts)} ${text}`;
    if (!told.has(key) && !telling.has(key)) log[isServing ? level : "debug"](facts, text);
    telling.add(key);
  }

  function read(raw: JsonObject, context: ReadContext): ServerDefinition[] {
    const { definitions, problems } = readDefinitions(raw, context);
    for (const { server: name, where, message, isRemark } of problems) {
      tell(isRemark ? "info" : "warn", { server: name, where }, message);
    }
    return definitions;
  }

  /** A server whose new definition cannot be used stays what it was, as the whole file does. */
  function fromFile({ raw, folder, file, places }: ServersPart): ServerDefinition[] {
    const where = (name: string) => places.get(name) ?? file;
    const written = read(raw, contextOf("file", folder, where));
    const definitions = written.map((each) => (each.problem === undefined ? each : (usable.get(each.name) ?? each)));
    usable = new Map(definitions.flatMap((each) => (each.problem === undefined ? [[each.name, each]] : [])));
    for (const [at, { name }] of definitions.entries()) {
      if (definitions[at] !== written[at])
        tell("warn", { server: name, file }, "what the file said of it before stays");
    }
    return definitions;
  }

  function fromStore({ name, definition, problem }: StoredServer): ServerDefinition[] {
    const where = () => "store";
    const found = read({ [name]: definition }, contextOf("store", server.dataDir, where));
    return problem === undefined ? found : found.map((each) => ({ ...each, target: undefined, problem }));
  }

  const definitions: Definitions = {
    file: ambient.servers,
    stored: [],
    attached,

    all() {
      telling = new Set();
      const { file, stored } = definitions;
      const byName = new Map<string, ServerDefinition>();
      const every = [...(file ? fromFile(file) : []), ...stored.flatMap(fromStore), ...attached.values()];
      for (const each of every) if (!byName.has(each.name)) byName.set(each.name, each);
      const wanted = [...byName.values()];
      const most = upstreams.maxServers;
      if (wanted.length > most) {
        tell("error", { servers: wanted.length, most }, "more servers are defined than may be; the last ones are left out"); // prettier-ignore
      }
      told = telling;
      return wanted.slice(0, most);
    },

    readAttached: (name, written) =>
      readDefinitions(
        { [name]: written },
        contextOf("attached", server.dataDir, () => "attached"),
      ),
  };
  return definitions;
}
