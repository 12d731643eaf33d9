import path from "node:path";
import { builtinModules } from "node:module";
import type { House } from "./floors.ts";
import { readModule, type Reach } from "./read-module.ts";

/** Paths below `src` with forward slashes, and their text. */
export type Tree = ReadonlyMap<string, string>;

/**
 * Holds every file of `src` against the plan of the house. Test files, contracts and fixtures may import what they
 * need, but nothing that ships may import them.
 *
 * @returns one sentence for each breach: which file and line, what it reaches for, which rule; sorted by file
 */
export function breaches(tree: Tree, house: House): string[] {
  const found: string[] = [];
  for (const [file, source] of [...tree].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (isForTests(file)) continue;
    if (!isRoot(file, house) && !house.rooms[roomOf(file)]) {
      found.push(`${file}: the folder "${roomOf(file)}" is not in the plan (test/house/floors.ts)`);
      continue;
    }
    for (const reach of readModule(file, source)) {
      const rule = ruleBroken(file, reach, tree, house);
      if (rule) found.push(`${file}:${reach.line} ${reach.from ? `imports "${reach.from}": ` : ""}${rule}`);
    }
  }
  return found;
}

const isForTests = (file: string) => /\.(test|contract)\.ts$|(^|\/)fixtures\//.test(file);
const roomOf = (file: string) => file.split("/")[0] ?? file;
const isRoot = (file: string, house: House) => house.roots.includes(roomOf(file));
const allows = (rooms: readonly string[], file: string) => rooms.includes("*") || rooms.includes(roomOf(file));

function ruleBroken(file: string, reach: Reach, tree: Tree, house: House): string | undefined {
  switch (reach.kind) {
    case "process.env":
      return allows(house.env, file) ? undefined : `only ${house.env.join(" and ")} may read process.env`;
    case "listen":
      return allows(house.listen, file) ? undefined : `only ${house.listen.join(" and ")} may listen`;
    case "computed import":
      if (allows(house.computedImport, file)) return undefined;
      return `only ${house.computedImport.join(" and ")} may import a module by a computed name`;
    case "import":
      return reach.from?.startsWith(".")
        ? ownFileRule(file, reach.from, tree, house)
        : foreignRule(file, reach.from ?? "", house);
  }
}

function foreignRule(file: string, from: string, house: House): string | undefined {
  if (builtinModules.includes(from.replace(/^node:/, "")) || from.startsWith("node:")) {
    if (!from.startsWith("node:")) return `write "node:${from}"`;
    if (roomOf(file) === "core") return "core does no input or output: it imports only itself and zod";
    const rooms = house.builtins[from];
    return rooms && !allows(rooms, file) ? `only ${list(rooms)} may import this part of Node` : undefined;
  }
  const name = from
    .split("/")
    .slice(0, from.startsWith("@") ? 2 : 1)
    .join("/");
  const rooms = house.packages[name];
  if (!rooms) return "this package is not in the plan (test/house/floors.ts)";
  return allows(rooms, file) ? undefined : `only ${list(rooms)} may import this package`;
}

function ownFileRule(file: string, from: string, tree: Tree, house: House): string | undefined {
  const target = path.posix.join(path.posix.dirname(file), from);
  if (target.startsWith("..")) return "what ships imports nothing outside src";
  if (target.endsWith(".json")) {
    return path.posix.dirname(target) === path.posix.dirname(file)
      ? undefined
      : "data belongs to the folder it lies in";
  }
  if (!tree.has(target)) return "there is no such file (own files are imported with their .ts ending)";
  if (isForTests(target)) return "what ships may not import tests, contracts or fixtures";
  const [here, there] = [roomOf(file), roomOf(target)];
  if (here === there) return implementationRule(file, target, house);
  if (isRoot(target, house)) return isRoot(file, house) ? undefined : `nobody imports ${there}`;
  if (isRoot(file, house)) return undefined;
  return floorRule(here, there, target, house) ?? throughImplementationRule(file, there, house);
}

function floorRule(here: string, there: string, target: string, house: House): string | undefined {
  const [mine, theirs] = [house.rooms[here], house.rooms[there]];
  if (!mine || !theirs) return `the folder "${there}" is not in the plan (test/house/floors.ts)`;
  if (theirs.floor > mine.floor)
    return `${here} (floor ${mine.floor}) may not look up to ${there} (floor ${theirs.floor})`;
  if (theirs.floor === mine.floor)
    return `${here} and ${there} stand on the same floor (${mine.floor}): no sideways imports`;
  const isFront = theirs.front === "*" || theirs.front.some((front) => target === `${there}/${front}.ts`);
  if (isFront) return undefined;
  const fronts = typeof theirs.front === "string" ? [] : theirs.front;
  return `this is inside ${there}; others see only ${fronts.map((front) => `${front}.ts`).join(", ")}`;
}

/** `engines/docker/pool.ts` is of the implementation `docker`; `engines/choose.ts` is of none. */
const implementationOf = (file: string) => (file.split("/").length > 2 ? file.split("/")[1] : undefined);

function implementationRule(file: string, target: string, house: House): string | undefined {
  if (!house.rooms[roomOf(file)]?.hasImplementations) return undefined;
  const shared = house.rooms[roomOf(file)]?.shared ?? [];
  const [mine, theirs] = [implementationOf(file), implementationOf(target)];
  if (theirs === undefined || theirs === mine || shared.includes(theirs)) return undefined;
  if (mine !== undefined) return `the implementations ${mine} and ${theirs} do not know each other`;
  return `${roomOf(file)} does not know its implementation ${theirs}; compose joins them`;
}

function throughImplementationRule(file: string, there: string, house: House): string | undefined {
  const { hasImplementations, shared = [] } = house.rooms[roomOf(file)] ?? {};
  const part = implementationOf(file);
  const isImplementation = hasImplementations && part !== undefined && !shared.includes(part);
  if (!isImplementation || there === "core" || there === "machine") return undefined;
  return "an implementation imports only core, machine, its port and its own folder";
}

const list = (rooms: readonly string[]) => (rooms.length === 0 ? "nobody" : rooms.join(" and "));
