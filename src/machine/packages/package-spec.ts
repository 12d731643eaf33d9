import { isBuiltin } from "node:module";
import { DynamicMcpError } from "../../core/errors.ts";
import type { PackageSpec } from "./packages.ts";

const MAX_NAME_CHARS = 214;
const MAX_VERSION_CHARS = 256;
const NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;
/** What is left to be read as a range; all other forms of npm have one of the characters that are missing here. */
const RANGE_CHARS = /^[\w.+\-^~<>=|*\s]*$/;

function isPackageName(name: string): boolean {
  return name.length <= MAX_NAME_CHARS && NAME.test(name) && name !== "node_modules" && name !== "favicon.ico";
}

/**
 * Takes only what a registry has under a name and a version: no git, URL, file, alias, workspace, other tag.
 *
 * @throws PACKAGE_NOT_ALLOWED with `data.package`; the message names the form and what to write in its place
 */
export async function checkPackageSpec({ name, version }: PackageSpec): Promise<void> {
  const problem = problemOfName(name) ?? (await problemOfVersion(name, version));
  if (problem === undefined) return;
  throw new DynamicMcpError("PACKAGE_NOT_ALLOWED", problem, { data: { package: name.slice(0, MAX_NAME_CHARS) } });
}

function problemOfName(name: string): string | undefined {
  const shown = JSON.stringify(shorten(name));
  if (name.startsWith("node:") || isBuiltin(name)) {
    return `${shown} is a part of Node itself: it needs no package, just import it as "node:${name.replace(/^node:/, "")}"`;
  }
  if (isPackageName(name)) return undefined;
  if (name.length > MAX_NAME_CHARS) return `the package name ${shown} is longer than ${MAX_NAME_CHARS} characters`;
  if (/^[\w@./~-]+$/.test(name) && isPackageName(name.toLowerCase())) {
    return `the package name ${shown} has capital letters, which packages of this server may not have`;
  }
  return `${shown} is not the name of an npm package; write a name such as "zod" or "@scope/name"`;
}

async function problemOfVersion(name: string, version: string): Promise<string | undefined> {
  const text = version.trim();
  const wants = `write a version, a range such as "^1.2.0", or "latest"`;
  if (text === "latest" || text === "") return undefined;
  if (text.length > MAX_VERSION_CHARS) return `the version of ${name} is longer than ${MAX_VERSION_CHARS} characters`;
  const form = FORMS.find(([pattern]) => pattern.test(text))?.[1];
  if (form !== undefined) return `${name} is asked for by ${form} (${JSON.stringify(shorten(text))}), which is not taken; ${wants}`; // prettier-ignore
  // The default, because the bundle has no other member of a CommonJS module that is loaded late.
  const { default: semver } = await import("semver");
  if (RANGE_CHARS.test(text) && semver.validRange(text) !== null) return undefined;
  if (/^[a-z][\w.-]*$/i.test(text)) {
    return `${name} is asked for by the tag ${JSON.stringify(shorten(text))}; of all tags only "latest" is taken; ${wants}`;
  }
  return `${JSON.stringify(shorten(text))} is not a version or range of ${name}; ${wants}`;
}

/** In the order of looking; the first that fits names it. */
const FORMS: readonly (readonly [RegExp, string])[] = [
  [/^npm:/i, "an alias"],
  [/^workspace:/i, "a workspace"],
  [/^(?:file|link|portal|patch):/i, "a file"],
  [/^[a-z]:[/\\]/i, "a file"],
  [/^git|^(?:github|gitlab|bitbucket|gist):|\.git(?:#|$)|^[^@\s]+@[^\s]+:/i, "a git repository"],
  [/^[a-z][a-z+.-]*:/i, "an address"],
  [/^(?:\.{1,2}|~)?[/\\]|^[a-z]:[/\\]|\.t(?:ar\.)?gz$/i, "a file"],
  [/^[\w.-]+\/[\w.-]+(?:#.*)?$/, "a git repository"],
];

const shorten = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}...` : text);
