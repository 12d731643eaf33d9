/** How the registry is reached. What is absent is as npm has it. */
export interface RegistrySettings {
  /** Base address; absent: npm's own. */
  registry?: string;
  /** By scope: `@acme` -> base address. */
  scopes: Readonly<Record<string, string>>;
  /**
   * Ways to prove who we are, by where they hold: `//host/path/` -> the value of the `authorization` header. Sent only to
   * addresses below that.
   */
  authorization: Readonly<Record<string, string>>;
  /** Certificates that are trusted instead of the usual ones, PEM. */
  ca?: string;
  /** File of the same. */
  caFile?: string;
  isCertificateChecked: boolean;
  httpProxy?: string;
  httpsProxy?: string;
  noProxy?: string;
  /** Time without a byte, in ms, after which a request has failed */
  idleMs: number;
  /** The same for all requests together, and with their repetitions. */
  maxSilenceMs: number;
  /** How often a request is tried again. */
  retries: number;
}

/** Far less patient than npm: somebody waits for an answer of ours. */
const IDLE_MS = 10_000;
const RETRIES = 1;
/** Clients give up on a call after a minute: they have to hear what failed before that. */
const MAX_SILENCE_MS = 45_000;
const MAX_IDLE_MS = 300_000;
const MAX_RETRIES = 5;

/**
 * Reads npm's own settings, of which those about the registry count. Later texts win, and variables win over texts.
 *
 * @param texts     contents of `.npmrc` files, the weakest first
 * @param variables `npm_config_*`, the usual ones of proxies, and those that `${NAME}` in a file may stand for
 * @param registry  wins over all
 */
export async function readRegistrySettings(
  texts: readonly string[],
  variables: Readonly<Record<string, string>>,
  registry?: string,
): Promise<RegistrySettings> {
  // The default, because the bundle has no other member of a CommonJS module that is loaded late.
  const { default: ini } = await import("ini");
  const values = new Map<string, string>();
  const put = (key: string, value: unknown) => {
    const text = Array.isArray(value) ? value.join("\n") : value;
    if (typeof text === "string" || typeof text === "boolean") values.set(key.replace(/\[\]$/, ""), fillIn(String(text), variables)); // prettier-ignore
  };
  for (const text of texts)
    for (const [key, value] of Object.entries(ini.parse(text))) put(fillIn(key, variables), value);
  for (const [name, value] of Object.entries(variables)) {
    const key = /^npm_config_(.+)$/i.exec(name)?.[1];
    if (key !== undefined) put(/^(?:\/\/|@)/.test(key) ? key : key.replaceAll("_", "-"), value);
  }
  if (registry !== undefined) values.set("registry", registry);

  const text = (...keys: string[]) => keys.map((key) => values.get(key)).find((value) => value && value !== "null");
  const usual = (...names: string[]) => names.map((name) => variables[name]).find((value) => value);
  const count = (key: string, fallback: number, max: number) => {
    const value = Number(text(key) ?? Number.NaN);
    return Number.isInteger(value) && value >= 0 ? Math.min(value, max) : fallback;
  };
  const scopes = [...values].flatMap(([key, value]) => {
    const scope = /^(@[^:]+):registry$/.exec(key)?.[1];
    return scope !== undefined && isAddress(value) ? [[scope, value] as const] : [];
  });
  const own = text("registry");
  return {
    ...(own !== undefined && isAddress(own) ? { registry: own } : {}),
    scopes: Object.fromEntries(scopes),
    authorization: Object.fromEntries(authorizations(values)),
    ...optional("ca", text("ca")?.replaceAll("\\n", "\n")),
    ...optional("caFile", text("cafile")),
    isCertificateChecked: text("strict-ssl") !== "false",
    ...optional("httpProxy", text("proxy", "http-proxy") ?? usual("http_proxy", "HTTP_PROXY")),
    ...optional("httpsProxy", text("https-proxy", "proxy") ?? usual("https_proxy", "HTTPS_PROXY")),
    ...optional("noProxy", text("noproxy", "no-proxy") ?? usual("no_proxy", "NO_PROXY")),
    idleMs: count("fetch-timeout", IDLE_MS, MAX_IDLE_MS) || MAX_IDLE_MS,
    maxSilenceMs: MAX_SILENCE_MS,
    retries: count("fetch-retries", RETRIES, MAX_RETRIES),
  };
}

function authorizations(values: ReadonlyMap<string, string>): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of values) {
    const [, place, kind] = /^(\/\/.+?):(_authToken|_auth|_password)$/i.exec(key) ?? [];
    if (place === undefined || kind === undefined || value === "") continue;
    switch (kind.toLowerCase()) {
      case "_authtoken":
        found.set(place, `Bearer ${value}`);
        break;
      case "_auth":
        found.set(place, `Basic ${value}`);
        break;
      default: {
        const password = Buffer.from(value, "base64").toString("utf8");
        const user = values.get(`${place}:username`);
        if (user !== undefined) found.set(place, `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`);
      }
    }
  }
  return found;
}

const fillIn = (text: string, variables: Readonly<Record<string, string>>) =>
  text.replace(/(?<!\\)\$\{([^${}]+?)(\?)?\}/g, (whole, name: string, isOptional?: string) =>
    Object.hasOwn(variables, name) ? (variables[name] ?? "") : isOptional === undefined ? whole : "",
  );

const isAddress = (text: string) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

const optional = <K extends string>(key: K, value: string | undefined) =>
  (value === undefined ? {} : { [key]: value }) as Partial<Record<K, string>>;
