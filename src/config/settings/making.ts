import { type Exposure, EXPOSURES } from "../../core/exposure.ts";
import { setting } from "../setting.ts";

const POSTGRES = "the PostgreSQL store exists";

export const store = {
  backend: setting((z) => z.enum(["sqlite", "postgres"]), {
    default: "sqlite",
    about:
      "Where tools are kept: embedded, in one file under the data folder (`sqlite`, also called `file`), or `postgres`.",
    env: "MCP_DYNAMIC_BACKEND",
    flag: "--dynamic-backend",
    words: { file: "sqlite" },
    difference:
      "`file` is our embedded store, not a JSON file. `postgres` is refused until the PostgreSQL store exists.",
  }),
  importFrom: setting((z) => z.string().min(1).max(4096), {
    about: "A `tools.json` of the older dynamic-mcp. Its tools are imported once; it is never written.",
    env: "MCP_DYNAMIC_STORE",
    flag: "--dynamic-store",
    isPath: true,
    difference:
      "Was the store itself, by default `.dynamic-mcp/tools.json` in the current folder. Now it is only read, and our store lies beside it unless a data folder is given.",
  }),
  postgresUrl: setting((z) => z.string().min(1).max(2000), {
    about: "Connection string of PostgreSQL.",
    env: "MCP_DYNAMIC_PG_URL",
    flag: "--dynamic-pg-url",
    isSecret: true,
    until: POSTGRES,
  }),
  postgresSchema: setting((z) => z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/), {
    default: "dynamic_mcp",
    expects: "a name of letters, digits and underscores, at most 63",
    about: "Schema that holds our tables.",
    env: "MCP_DYNAMIC_PG_SCHEMA",
    flag: "--dynamic-pg-schema",
    until: POSTGRES,
  }),
  postgresInitMaxAttempts: setting((z) => z.int().min(1).max(100), {
    default: 10,
    about: "How often to try to reach PostgreSQL at start.",
    env: "MCP_DYNAMIC_PG_INIT_MAX_ATTEMPTS",
    flag: "--dynamic-pg-init-max-attempts",
    until: POSTGRES,
  }),
  postgresInitBackoffMs: setting((z) => z.int().min(1).max(60_000), {
    default: 1000,
    about: "Wait after the first failed attempt; doubles each time.",
    env: "MCP_DYNAMIC_PG_INIT_BACKOFF_MS",
    flag: "--dynamic-pg-init-backoff-ms",
    unit: "ms",
    until: POSTGRES,
  }),
  mongoUri: setting((z) => z.string().min(1).max(2000), {
    about: "MongoDB of the older dynamic-mcp-server.",
    env: ["MONGODB_URI", "MONGO_URI"],
    flag: "--mongodb-uri",
    isSecret: true,
    until: "users can be imported from it",
    difference: "Was required. Users are kept in our own store, so MongoDB is only a source to import from.",
  }),
  mongoDatabase: setting((z) => z.string().min(1).max(64), {
    default: "dynamic-mcp-server",
    about: "Database in that MongoDB.",
    env: "MONGODB_DB",
    flag: "--mongodb-db",
    until: "users can be imported from it",
  }),
};

export const authoring = {
  maxTools: setting((z) => z.int().min(1).max(100_000), {
    default: 256,
    about: "Most tools that may be kept.",
    env: "MCP_DYNAMIC_MAX_TOOLS",
    flag: "--dynamic-max-tools",
    difference: "The bound was 10000.",
  }),
  readOnly: setting((z) => z.boolean(), {
    default: false,
    about: "Tools can be called but neither made nor changed.",
    env: "MCP_DYNAMIC_READ_ONLY",
    flag: ["--dynamic-read-only", "--read-only"],
  }),
};

export const admin = {
  token: setting((z) => z.string().min(1).max(4096), {
    about:
      "Proves that a caller is the operator. With one set, making and changing tools and running code that is not kept need it. Prefer the variable: flags can be seen by other users of the machine.",
    env: "MCP_ADMIN_TOKEN",
    flag: "--admin-token",
    isSecret: true,
    production: "",
  }),
  requireToken: setting((z) => z.boolean(), {
    default: false,
    about: "Refuses to start without an admin token, so that making and changing tools always needs it.",
    env: "MCP_REQUIRE_ADMIN_TOKEN",
    flag: "--require-admin-token",
    difference:
      "The token covers `run_js_ephemeral` too. This was true by default for enterprise with JWT over HTTP, which does not exist yet.",
    production: "true",
  }),
  email: setting((z) => z.string().min(1).max(320), {
    about: "Mail address of the first administrator.",
    env: "MCP_ADMIN_EMAIL",
    flag: "--admin-email",
    until: "users with API keys exist",
    difference: "Was required.",
  }),
};

export const tools = {
  nameStyle: setting((z) => z.enum(["wire", "dotted"]), {
    default: "wire",
    about:
      "How names with dots are listed: `text_upper`, which every client accepts, or `text.upper`. Calls accept both.",
    env: "MCP_TOOL_NAME_STYLE",
    flag: "--tool-name-style",
  }),
  pageSize: setting((z) => z.int().min(1).max(10_000), {
    default: 500,
    about: "Tools, prompts or resources on one page of a list.",
    env: "MCP_PAGE_SIZE",
    flag: "--page-size",
  }),
  exposure: setting((z) => z.enum(EXPOSURES), {
    derived: {
      text: "`groups` with the profile `proxy` alone, else `auto`",
      from: (known): Exposure => (String(known.get("server.profiles")) === "proxy" ? "groups" : "auto"),
    },
    about:
      "How the tools of other servers are shown: each by itself (`direct`), by two tools for groups (`groups`), by search (`search`, `code`), or as their number asks for (`auto`).",
    env: "MCP_EXPOSURE",
    flag: "--exposure",
  }),
  exposureBudgetTokens: setting((z) => z.int().min(0).max(1_000_000), {
    default: 10_000,
    about: "With `auto`: what tools may cost in a list, before they are found by search instead.",
    env: "MCP_EXPOSURE_BUDGET_TOKENS",
    flag: "--exposure-budget-tokens",
    unit: "tokens",
  }),
  callTimeoutMs: setting((z) => z.int().min(1000).max(3_600_000), {
    default: 300_000,
    about: "Longest time that a call may take, waiting included; a tool's own limit may be shorter.",
    env: "MCP_CALL_TIMEOUT_MS",
    flag: "--call-timeout-ms",
    unit: "ms",
  }),
};

export const results = {
  limitBytes: setting((z) => z.int().min(1_024).max(67_108_864), {
    default: 50_000,
    about: "A model gets at most so much text of a result; of a larger one a preview, and a handle to read on with.",
    env: "MCP_RESULT_LIMIT_BYTES",
    flag: "--result-limit-bytes",
    unit: "bytes",
  }),
  ttlSeconds: setting((z) => z.int().min(1).max(2_592_000), {
    default: 3_600,
    about: "How long such a result is kept.",
    env: "MCP_RESULT_TTL_SECONDS",
    flag: "--result-ttl-seconds",
    unit: "s",
  }),
  maxBytes: setting((z) => z.int().min(65_536).max(4_294_967_296), {
    default: 67_108_864,
    about: "Most that is kept of one principal's large results; the oldest go first.",
    env: "MCP_RESULT_MAX_BYTES",
    flag: "--result-max-bytes",
    unit: "bytes",
  }),
};
