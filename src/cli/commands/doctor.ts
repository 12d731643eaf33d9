import { existsSync } from "node:fs";
import { join } from "node:path";
import { DynamicMcpError, ERRORS } from "../../core/errors.ts";
import { isNeeded } from "../../engines/choose.ts";
import type { App } from "../app.ts";
import { type Command, JSON_FLAG } from "../command.ts";
import { foundIn } from "../describe-server.ts";
import { json, oneLine } from "../print.ts";
import { checkServers } from "./servers.ts";

interface Finding {
  what: string;
  isOk: boolean;
  /** What is there; when it is not well, what to do. */
  text: string;
  /** Not well, and yet the program does its work. */
  isOptional?: boolean;
}

export const doctor: Command = {
  name: "doctor",
  summary: "Check Node, the settings, the store, the engines, other servers and the port, and say what to do.",
  details:
    "Engines are tried for real: each runs a small program. So are other servers: each is connected to, for a minute at most; one that does not work keeps nothing else from working. Exit code 0 when everything that is needed works, else 4.",
  args: [],
  flags: [JSON_FLAG],
  examples: ["doctor", "doctor --port 9000 --json"],
  async handler(context) {
    const findings: Finding[] = [];
    const found = (finding: Finding) => {
      findings.push(finding);
      if (!context.isJson) context.terminal.out(line(finding));
    };
    found({ what: "node", isOk: true, text: `${process.versions.node} on ${process.platform} ${process.arch}` });
    const { file, warnings } = context.loaded;
    found({ what: "settings", isOk: true, text: file ?? "no configuration file, which is fine" });
    if (existsSync(join(context.cwd, ".env"))) {
      found({ what: "settings", isOk: false, isOptional: true, text: ".env in this folder is not read; add `--dotenv .env` if it should be" }); // prettier-ignore
    }
    for (const warning of warnings) found({ what: "settings", isOk: false, isOptional: true, text: warning });

    const app = await attempt("store", () => context.app(), found);
    if (app) {
      await checkStore(app, found);
      await checkEngines(app, found);
      await checkPackages(app, found);
      await checkOthers(app, context.stopped, found);
      await checkPort(app, found);
    }
    const isWell = findings.every(({ isOk, isOptional }) => isOk || isOptional);
    if (context.isJson) context.terminal.out(json({ isOk: isWell, findings }));
    return isWell ? 0 : ERRORS.STORE_UNAVAILABLE.exit;
  },
};

type Report = (finding: Finding) => void;

async function checkStore(app: App, found: Report): Promise<void> {
  const health = await attempt("store", () => app.store.health(), found);
  if (!health) return;
  const { location, items, quarantined, isWritable, problem } = health;
  if (isWritable) found({ what: "store", isOk: true, text: `${location}, ${items} tools` });
  else found({ what: "store", isOk: false, text: `${location} cannot be written: ${problem ?? "unknown reason"}; choose a folder of yours with --data-dir` }); // prettier-ignore
  if (quarantined === 0) return;
  found({
    what: "store",
    isOk: false,
    isOptional: true,
    text: `${quarantined} damaged tools are set aside; \`tools list --disabled\` shows why`,
  });
}

async function checkEngines(app: App, found: Report): Promise<void> {
  const all = await Promise.all(
    app.engines.map((engine) => attempt(`engine ${engine.name}`, () => engine.probe(), found)),
  );
  const health = all.filter((each) => each !== undefined);
  const { use } = app.settings.engines;
  const hasOne = health.some(({ name, isAvailable }) => isAvailable && isNeeded(name, use));
  for (const { name, isAvailable, level, problem, note } of health) {
    const text = isAvailable ? [level, note].filter(Boolean).join("; ") : (problem ?? "not available");
    found({ what: `engine ${name}`, isOk: isAvailable, isOptional: hasOne || !isNeeded(name, use), text });
  }
  if (health.length === 0) found({ what: "engines", isOk: false, text: "there is none, so no code can run" });
}

async function checkPackages(app: App, found: Report): Promise<void> {
  const health = await attempt("packages", () => app.packages.health(), found);
  if (!health) return;
  const { layers, bytes, installer, problem } = health;
  const what = `${layers} sets of npm packages, ${Math.ceil(bytes / 1_000_000)} MB; unpacked by a process held by ${installer}`;
  if (problem !== undefined) found({ what: "packages", isOk: false, isOptional: true, text: problem });
  else if (installer === "bubblewrap") found({ what: "packages", isOk: true, text: what });
  else found({ what: "packages", isOk: false, isOptional: true, text: `${what} of Node, which do not cover the network on every Node; install bubblewrap` }); // prettier-ignore
}

/** One that does not work harms nobody but those who call it. */
async function checkOthers(app: App, stopped: Promise<void>, found: Report): Promise<void> {
  for (const { name, state, problem } of await checkServers(app, stopped)) {
    const text = state ? foundIn(state) : `${oneLine(problem ?? "")}; \`servers logs ${oneLine(name)}\` may say more`;
    found({ what: `server ${oneLine(name)}`, isOk: state !== undefined, isOptional: true, text });
  }
}

/** Binds it for real. A port that is taken matters to the HTTP transport only. */
async function checkPort(app: App, found: Report): Promise<void> {
  const { host, port } = app.settings.http;
  const isOptional = app.settings.server.transport !== "http";
  try {
    const server = await app.listenHttp();
    await server.close();
    found({ what: "port", isOk: true, text: `${host}:${port} is free` });
  } catch (error) {
    found({ what: "port", isOk: false, isOptional, text: words(error) });
  }
}

async function attempt<T>(what: string, run: () => Promise<T>, found: Report): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    found({ what, isOk: false, text: words(error) });
    return undefined;
  }
}

function words(error: unknown): string {
  if (error instanceof DynamicMcpError) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function line({ what, isOk, isOptional, text }: Finding): string {
  return `${(isOk ? "ok" : isOptional ? "note" : "FAIL").padEnd(4)}  ${what.padEnd(14)}  ${text}`;
}
