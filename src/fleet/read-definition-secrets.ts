import { namesSecret } from "../core/redact.ts";
import type { UpstreamTarget } from "../upstreams/upstream.ts";
import type { Taken } from "./interpolate.ts";

/** What went into the text at a place of the definition, such as `env.TOKEN`. */
export interface TakenAt extends Taken {
  at: string;
}

const ALSO_SECRET = /pass|pwd|pat$|key|auth/i;
/** Variables of the system; `/home/ann` hidden in every answer would make them useless. */
const PUBLIC = /^(HOME|USER|USERNAME|LOGNAME|PWD|OLDPWD|PATH|SHELL|LANG|LC_\w+|TE?MP|TMPDIR|HOSTNAME|TERM|TZ|USERPROFILE|(LOCAL)?APPDATA|XDG_\w+)$/i; // prettier-ignore
const PLAIN_WORD = /^([a-z]{1,12}|\d{1,5}|true|false)$/i;
const PATH = /^(~?[/\\]|[A-Za-z]:[/\\])/;

/**
 * Values that must not show: what variables and files gave for `env` and `headers`, unless it plainly is no secret (a
 * path, an address, a word like `production`); literals whose name says what they are; and the same of arguments and
 * the URL.
 */
export function secretsOf(target: UpstreamTarget, own: Readonly<Record<string, string>>, taken: readonly TakenAt[]) {
  const found = new Set<string>();
  for (const { at, from, value } of taken) {
    const [part = "", name = ""] = at.split(/[.[]/);
    const isNamed = from.startsWith("file:") || saysSecret(from) || (part !== "args" && saysSecret(name));
    if (isNamed || ((part === "env" || part === "headers") && !isPublic(from, value))) found.add(value);
  }
  for (const [name, value] of Object.entries(own)) {
    // Whether it looks like a secret is told by the name alone; a path under such a name is where one lies.
    if (saysSecret(name) && !PATH.test(value)) found.add(value.replace(/^(Bearer|Basic|Token)\s+/i, ""));
  }
  if (target.transport === "stdio") addArguments(target.args, found);
  else addUrl(target.url, found);
  found.delete("");
  return [...found];
}

function addArguments(args: readonly string[], found: Set<string>): void {
  for (const [index, arg] of args.entries()) {
    const [, name = "", value] = /^--?([\w-]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const given = value ?? args[index + 1];
    if (namesSecret(name) && given !== undefined && !given.startsWith("-") && !PATH.test(given)) found.add(given);
  }
}

function addUrl(url: string, found: Set<string>): void {
  for (const [name, value] of new URL(url).searchParams) if (saysSecret(name)) found.add(value);
}

function isPublic(from: string, value: string): boolean {
  return PUBLIC.test(from) || PLAIN_WORD.test(value) || PATH.test(value) || isPlainUrl(value);
}

function isPlainUrl(value: string): boolean {
  if (!/^(https?|wss?):\/\//i.test(value) || !URL.canParse(value)) return false;
  const { username, password, search } = new URL(value);
  return username + password + search === "";
}

const saysSecret = (name: string) => namesSecret(name) || ALSO_SECRET.test(name);
