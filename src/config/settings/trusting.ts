import { setting } from "../setting.ts";

const JWT = "JWT authentication exists";
const MAIL = "mails to users exist";

export const auth = {
  mode: setting((z) => z.enum(["none", "jwt", "apikey"]), {
    default: "none",
    about: "How callers over HTTP prove who they are. Only `none` works yet; the others are refused at start.",
    env: "MCP_AUTH_MODE",
    flag: "--auth-mode",
    difference:
      "`jwt` and `apikey` are refused until they exist: starting without the protection that was asked for would be worse.",
  }),
  jwksUrl: setting((z) => z.url().max(2000), {
    about: "Where the keys that sign tokens are published.",
    env: "MCP_AUTH_JWKS_URL",
    flag: "--auth-jwks-url",
    until: JWT,
  }),
  issuer: setting((z) => z.string().min(1).max(2000), {
    about: "Issuer that tokens must name.",
    env: "MCP_AUTH_ISSUER",
    flag: "--auth-issuer",
    until: JWT,
  }),
  audience: setting((z) => z.string().min(1).max(2000), {
    about: "Audience that tokens must name.",
    env: "MCP_AUTH_AUDIENCE",
    flag: "--auth-audience",
    until: JWT,
  }),
  requiredScopes: setting((z) => z.array(z.string().min(1).max(200)).max(100), {
    default: [],
    about: "Scopes that a token must have, all of them.",
    env: "MCP_AUTH_REQUIRED_SCOPES",
    flag: "--auth-required-scopes",
    until: JWT,
  }),
};

export const audit = {
  enabled: setting((z) => z.boolean(), {
    derived: {
      text: "true with the profile enterprise or full, else false",
      from: (known) => {
        const profiles = known.get("server.profiles");
        return Array.isArray(profiles) && (profiles.includes("enterprise") || profiles.includes("full"));
      },
    },
    form: "switch",
    about: "Writes a line of JSON for every call, refusals included, to the audit file.",
    env: "MCP_AUDIT_ENABLED",
    flag: "--audit-enabled",
    difference: "Records every call with its caller, outcome and duration, not only changes of tools.",
    production: "true",
  }),
  file: setting((z) => z.string().min(1).max(4096), {
    derived: {
      text: "`audit.log` in the data folder",
      from: (known) => known.join(String(known.get("server.dataDir")), "audit.log"),
    },
    about: "The audit file.",
    env: "MCP_AUDIT_FILE",
    flag: "--audit-file",
    isPath: true,
    difference: "Was `.dynamic-mcp/audit.log` in the current folder.",
  }),
  maxEventBytes: setting((z) => z.int().min(256).max(1_000_000), {
    default: 20_000,
    about: "Longest line in the audit file.",
    env: "MCP_AUDIT_MAX_EVENT_BYTES",
    flag: "--audit-max-event-bytes",
    unit: "bytes",
  }),
  maxFileBytes: setting((z) => z.int().min(1024).max(1_000_000_000), {
    default: 10_000_000,
    about: "The audit file is put aside when it would grow past this.",
    env: "MCP_AUDIT_MAX_FILE_BYTES",
    flag: "--audit-max-file-bytes",
    unit: "bytes",
  }),
  maxFiles: setting((z) => z.int().min(1).max(100), {
    default: 5,
    about: "How many older audit files are kept; the oldest goes first.",
    env: "MCP_AUDIT_MAX_FILES",
    flag: "--audit-max-files",
  }),
};

export const journal = {
  retentionDays: setting((z) => z.int().min(1).max(3650), {
    default: 30,
    about: "How long calls stay in the journal.",
    env: "MCP_JOURNAL_RETENTION_DAYS",
    flag: "--journal-retention-days",
    unit: "days",
  }),
};

export const mail = {
  postmarkToken: setting((z) => z.string().min(1).max(200), {
    about: "Token of the Postmark mail service.",
    env: "POSTMARK_API_TOKEN",
    flag: "--postmark-api-token",
    isSecret: true,
    until: MAIL,
  }),
  from: setting((z) => z.string().min(1).max(320), {
    about: "Sender of mails.",
    env: "SMTP_FROM",
    flag: "--smtp-from",
    until: MAIL,
  }),
};
