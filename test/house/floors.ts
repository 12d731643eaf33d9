/**
 * The plan of the house as data: which folder stands on which floor, what others see of it, and who may use which
 * part of Node or which package. A new room, front file or package is a line here, so that it is a decision.
 */
export interface Room {
  /** A room imports from strictly lower floors only. */
  floor: number;
  /** Files that other rooms may import, without `.ts`; `*` for all of them. */
  front: readonly string[] | "*";
  /** Subfolders are implementations of the port: closed to each other, on `core` and `machine` only. */
  hasImplementations?: true;
  /** Subfolders that are no implementation but what several of them are made of; open to all of the room. */
  shared?: readonly string[];
}

export interface House {
  rooms: Readonly<Record<string, Room>>;
  /** Files and folders that join everything and that nobody imports. */
  roots: readonly string[];
  /** Node's own modules that only some rooms may import; `[]` for nobody. */
  builtins: Readonly<Record<string, readonly string[]>>;
  /** Every package that `src` may import, and the rooms that may. */
  packages: Readonly<Record<string, readonly string[]>>;
  /** Who may read `process.env`, call `.listen()`, import a module by a computed name. */
  env: readonly string[];
  listen: readonly string[];
  computedImport: readonly string[];
}

const ALL = ["*"] as const;

export const HOUSE: House = {
  rooms: {
    core: { floor: 0, front: "*" },

    // Half a floor below its neighbours: their implementations start processes and find files through it.
    machine: { floor: 0.5, front: "*" },
    store: { floor: 1, front: ["store"], hasImplementations: true },
    schemas: { floor: 1, front: ["schemas"] },
    search: { floor: 1, front: ["search", "create-search-index"] },
    telemetry: { floor: 1, front: ["telemetry", "log"] },

    engines: {
      floor: 2,
      front: ["engine", "compile", "choose", "shells", "bundle"],
      hasImplementations: true,
      shared: ["guest", "process", "bundle"],
    },
    upstreams: { floor: 2, front: ["upstream"], hasImplementations: true, shared: ["peer"] },
    credentials: { floor: 2, front: ["credentials"] },
    access: { floor: 2, front: ["access"] },
    guard: { floor: 2, front: ["guard"] },
    policy: { floor: 2, front: ["policy"] },
    journal: { floor: 2, front: ["journal", "results"] },
    catalog: { floor: 2, front: ["catalog"] },

    authored: { floor: 3, front: ["authored", "definition", "shells/shells"] },
    fleet: {
      floor: 3,
      front: [
        "fleet",
        "definition",
        "stored-servers",
        "read-definition",
        "read-definition-schema",
        "log-file",
        "not-found",
      ],
    },
    packs: { floor: 3, front: ["pack"] },
    surface: { floor: 3, front: ["surface", "finder"] },

    calls: { floor: 4, front: ["calls"] },
    operations: { floor: 4, front: ["operations"] },

    // Beside the floors: knows only `core` and the options of others; the CLI explains it, `compose` reads it.
    config: { floor: 0.5, front: "*" },

    server: { floor: 5, front: ["server"] },
    cli: { floor: 6, front: ["cli"] },
  },
  roots: ["compose", "main.ts", "dmcp.ts", "index.ts"],
  builtins: {
    "node:child_process": ["machine"],
    "node:cluster": [],
    "node:dgram": [],
    "node:dns": ["machine"],
    "node:dns/promises": ["machine"],
    "node:http": ["server", "machine"],
    "node:http2": [],
    "node:https": ["machine"],
    "node:inspector": [],
    "node:net": ["server", "machine", "engines"], // engines: pipes of a child
    "node:repl": [],
    "node:sqlite": ["store"],
    "node:tls": ["machine"],
    "node:vm": ["engines"],
    "node:worker_threads": ["machine", "store", "schemas", "engines"],
  },
  packages: {
    zod: ALL,
    ajv: ["schemas"],
    "ajv-formats": ["schemas"],
    "@babel/parser": ["engines"],
    "quickjs-emscripten-core": ["engines"],
    // Made by the build, see `scripts/build.ts`.
    "guest:prelude": ["engines"],
    "quickjs:wasm": ["engines"],
    "@jitl/quickjs-wasmfile-release-sync": ["engines"],
    "@jitl/quickjs-ng-wasmfile-release-sync": ["engines"],
    "jsonc-parser": ["config", "cli", "authored"],
    // HTTP to other servers, the cheapest way that Node has, and its streams of events.
    undici: ["machine"],
    "eventsource-parser": ["upstreams"],
    // What texts cost a model; large, loaded by one command.
    "gpt-tokenizer": ["cli"],
    // npm's own: finding versions, reading archives and settings.
    "@npmcli/arborist": ["machine"],
    "npm-registry-fetch": ["machine"],
    semver: ["machine"],
    tar: ["machine"],
    ini: ["machine"],
    // Bundling packages for an interpreter without files.
    "cjs-module-lexer": ["engines"],
    "eslint-scope": ["engines"],
    "resolve.exports": ["engines"],
    pino: ["telemetry"],
    "@modelcontextprotocol/client": ["upstreams"],
    "@modelcontextprotocol/server": ["server"],
    "@modelcontextprotocol/node": ["server"],
  },
  env: ["config", "main.ts"],
  listen: ["server"],
  computedImport: ["packs", "machine"],
};
