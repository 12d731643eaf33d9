import { nearest } from "../core/names.ts";

/** A flag that may be written. A `switch` needs no value. */
export interface FlagSpec {
  /** With their dashes; the first is the one that is shown. */
  names: readonly string[];
  form: "switch" | "value";
}

export interface GivenFlag {
  spec: FlagSpec;
  /** As it was written. */
  name: string;
  text: string;
}

export interface Argv {
  flags: GivenFlag[];
  positionals: string[];
  problems: string[];
}

/** What a switch may be followed or set by, and what variables for switches hold. */
export const SWITCH_WORDS: Readonly<Record<string, boolean>> = {
  1: true,
  true: true,
  yes: true,
  on: true,
  0: false,
  false: false,
  no: false,
  off: false,
};

/**
 * Splits a command line: `--key value`, `--key=value`, `--switch`, `--switch false`; after `--` nothing is a flag.
 * A value that begins with two dashes needs the form with `=`.
 *
 * @returns all problems, not only the first
 */
export function parseArgv(argv: readonly string[], specs: readonly FlagSpec[]): Argv {
  const byName = new Map(specs.flatMap((spec) => spec.names.map((name) => [name, spec] as const)));
  const found: Argv = { flags: [], positionals: [], problems: [] };
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (word === "--") {
      found.positionals.push(...argv.slice(at + 1));
      break;
    }
    if (!/^--?[^-\s]/.test(word) || /^-\d/.test(word)) {
      found.positionals.push(word);
      continue;
    }
    const equals = word.indexOf("=");
    const name = equals < 0 ? word : word.slice(0, equals);
    const spec = byName.get(name);
    if (!spec) {
      found.problems.push(unknownFlag(name, byName.keys()));
      continue;
    }
    const next = argv[at + 1];
    if (equals >= 0) {
      found.flags.push({ spec, name, text: word.slice(equals + 1) });
    } else if (spec.form === "switch") {
      const isValue = next !== undefined && Object.hasOwn(SWITCH_WORDS, next.toLowerCase());
      found.flags.push({ spec, name, text: isValue ? next : "true" });
      if (isValue) at++;
    } else if (next === undefined || /^--[^-\s]/.test(next)) {
      found.problems.push(`${name} needs a value: \`${name} <value>\` or \`${name}=<value>\``);
    } else {
      found.flags.push({ spec, name, text: next });
      at++;
    }
  }
  return found;
}

function unknownFlag(name: string, known: Iterable<string>): string {
  const shown = name.length > 60 ? `${name.slice(0, 57)}...` : name;
  const near = nearest(name, known);
  return `unknown flag ${shown}${near ? `; did you mean ${near}?` : "; `--help` lists the flags"}`;
}
