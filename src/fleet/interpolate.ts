import { resolve } from "node:path";
import { readSmallFile } from "./interpolate-file.ts";

/** What `${...}` may refer to. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  /** What relative paths of `${file:...}` start from: the folder of the file that they stand in. */
  folder: string;
  homeDir: string;
  /** @returns what the file at an absolute path holds @throws with why it cannot be read; default: files up to 64 KiB */
  readFile?: (path: string) => string;
  /** Names of variables have no case on Windows; default: the one that we run on. */
  platform?: NodeJS.Platform;
}

export interface Taken {
  /** `TOKEN`, or `file:token.txt`. */
  from: string;
  value: string;
}

export type Interpolated = { text: string; taken: readonly Taken[] } | { problem: string };

const VARIABLE = /^(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?=:-|$)/;
const FILE = /^file:((?:(?!:-)[^])+)/;
const OTHER_KIND = /^([A-Za-z_][\w-]*):/;
const MAX_DEPTH = 8;
/** Of VS Code and Cursor: there is no folder that is open here. */
const OF_EDITORS = ["workspaceFolder", "workspaceFolderBasename", "workspaceRoot", "cwd", "file", "fileDirname"];

/**
 * Replaces `${VAR}`, `${env:VAR}`, `${file:path}` (its text without one line end) and `${userHome}`; with `:-text`
 * before the brace, `text` stands for what is not set, or empty, or not there, and may have such parts itself. `$${` is
 * a `${` as it is. Everything else that begins with a dollar stays as it is: `$VAR` and `$1` are for shells.
 *
 * @returns the text and the values that went into it; or what is wrong, in words that name the variable
 */
export function interpolate(text: string, around: Surroundings): Interpolated {
  if (!text.includes("${")) return { text, taken: [] };
  const ends = bracesOf(text);
  const taken: Taken[] = [];
  try {
    return { text: expand(0, text.length, 0), taken };
  } catch (error) {
    if (error instanceof NotReplaced) return { problem: error.message };
    throw error;
  }

  function expand(from: number, to: number, depth: number): string {
    if (depth > MAX_DEPTH) throw new NotReplaced(`defaults are nested more than ${MAX_DEPTH} deep`);
    let made = "";
    let at = from;
    while (at < to) {
      const found = text.indexOf("${", at);
      if (found < 0 || found >= to) break;
      made += text.slice(at, found);
      const end = ends.get(found);
      at = found + 2;
      if (text[found - 1] === "$" && found > from) made = `${made.slice(0, -1)}\${`;
      else if (end === undefined || end >= to) made += "${";
      else {
        made += valueOf(found + 2, end, depth) ?? text.slice(found, end + 1);
        at = end + 1;
      }
    }
    return made + text.slice(at, to);
  }

  /** @returns undefined for what is none of ours, such as a shell's own `${1}` */
  function valueOf(from: number, end: number, depth: number): string | undefined {
    const body = text.slice(from, end);
    const [matched, name] = FILE.exec(body) ?? VARIABLE.exec(body) ?? [];
    if (matched === undefined || name === undefined) {
      const kind = OTHER_KIND.exec(body)?.[1];
      if (kind === undefined) return undefined;
      throw new NotReplaced(`\${${shown(body)}} is not understood here: there are \${VAR}, \${VAR:-default}, \${env:VAR} and \${file:path}; $\${ stands for a \${ as it is`); // prettier-ignore
    }
    const isFile = matched.startsWith("file:");
    const hasDefault = body.startsWith(":-", matched.length);
    if (isFile && body.length > matched.length && !hasDefault) return undefined;
    const given = isFile ? fromFile(name, hasDefault) : fromEnv(name);
    if (given !== undefined && !(hasDefault && given === "")) {
      if (name !== "userHome") taken.push({ from: isFile ? matched : name, value: given });
      return given;
    }
    if (hasDefault) return expand(from + matched.length + 2, end, depth + 1);
    if (OF_EDITORS.includes(name)) throw new NotReplaced(`\${${name}} is known to editors only; write the path, or set a variable of that name`); // prettier-ignore
    throw new NotReplaced(`the variable ${name} is not set`);
  }

  function fromEnv(name: string): string | undefined {
    if (name === "userHome") return around.homeDir;
    if (Object.hasOwn(around.env, name)) return around.env[name];
    if ((around.platform ?? process.platform) !== "win32") return undefined;
    const key = Object.keys(around.env).find((each) => each.toLowerCase() === name.toLowerCase());
    return key === undefined ? undefined : around.env[key];
  }

  function fromFile(path: string, isOptional: boolean): string | undefined {
    const whole = /^~[/\\]/.test(path) ? resolve(around.homeDir, path.slice(2)) : resolve(around.folder, path);
    try {
      return (around.readFile ?? readSmallFile)(whole).replace(/\r?\n$/, "");
    } catch (error) {
      if (isOptional) return undefined;
      const reason = error instanceof Error ? error.message : String(error);
      throw new NotReplaced(`\${file:${shown(path)}}: ${reason}`);
    }
  }
}

/** For this file only: found deep inside, told as a whole. */
class NotReplaced extends Error {}

/** Where each `${` ends; one walk, whatever the text. */
function bracesOf(text: string): Map<number, number> {
  const ends = new Map<number, number>();
  const open: number[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text.startsWith("${", at)) {
      if (at === 0 || text[at - 1] !== "$") open.push(at);
      at++;
    } else if (text[at] === "}") {
      const start = open.pop();
      if (start !== undefined) ends.set(start, at);
    }
  }
  return ends;
}

const shown = (text: string) => (text.length > 60 ? `${text.slice(0, 57)}...` : text);
