import { readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { type CommonModule, readCommon } from "./common-module.ts";
import { type EcmascriptModule, linkedNames, member, readEcmascript } from "./ecmascript-module.ts";
import type { SourceFile } from "./environment.ts";
import { NeedsNode, Unbundlable } from "./reason.ts";
import { createResolver, type Flavour, type Resolved, type Resolver } from "./resolve-module.ts";
import { RUNTIME } from "./runtime.ts";

export interface LinkTask {
  /** Absolute, real; holds `node_modules`. */
  folder: string;
  /** What the body imports, as written. */
  imports: readonly string[];
  /** Of the bundle. */
  maxBytes: number;
}

const MAX_MODULES = 2_000;
/** Larger ones would not fit anyway, and take long to read. */
const MAX_SOURCE_FACTOR = 10;

type Read = ({ kind: "ecmascript" } & EcmascriptModule) | ({ kind: "common" } & CommonModule);
type Module = Read & { path: string; shown: string; targets: Map<string, number> };

/**
 * What a build for browsers can stand in for: randomness and hashes, which the interpreter or plain JavaScript has, and
 * bytes. Whoever needs more, such as sockets or files, does something else where they are not there.
 */
const REPLACEABLE: ReadonlySet<string> = new Set(["crypto", "node:crypto", "Buffer"]);

/**
 * Makes one expression of all that the imports lead to.
 *
 * A build for browsers is taken only where Node's build needs nothing but what is {@link REPLACEABLE}, where the package
 * gives it by a condition of its `exports` or `imports`, and where each of its modules exports all that Node's does: what
 * runs here must do what it does in Node. When in doubt there is no bundle, and an engine with Node runs the packages.
 *
 * @returns an object: each import -> a function that gives its namespace
 * @throws Unbundlable
 */
export function link(task: LinkTask): string {
  const node = linkAs(task, "node");
  if ("js" in node) return node.js;
  try {
    const browser = linkAs(task, "browser");
    if ("js" in browser && areEqualInNames(node, browser)) return browser.js;
  } catch (error) {
    if (!(error instanceof Unbundlable)) throw error;
  }
  throw node.need; // that is what its author has to know
}

interface Linked {
  namesOf(path: string): ReadonlySet<string> | undefined;
  /** Where this build has another module than Node would. */
  replaced: { node: string; here: string }[];
}

function areEqualInNames(node: Linked, browser: Linked): boolean {
  return browser.replaced.every((module) => {
    const [wanted, given] = [node.namesOf(module.node), browser.namesOf(module.here)];
    if (!wanted || !given) return false;
    // Only CommonJS has it, and only `require` of ECMAScript's asks for it.
    return [...wanted].every((name) => name === "module.exports" || given.has(name));
  });
}

/** @returns what it needs of Node in place of `js`, when another build may do without */
function linkAs(
  { folder, imports, maxBytes }: LinkTask,
  flavour: Flavour,
): Linked & ({ js: string } | { need: NeedsNode }) {
  const resolver = createResolver(folder, flavour);
  const nodeResolver = flavour === "node" ? resolver : createResolver(folder, "node");
  const modules: Module[] = [];
  const numbers = new Map<string, number>();
  const replaced: Linked["replaced"] = [];
  let need: NeedsNode | undefined;
  let bytes = RUNTIME.length;

  function onNeed(what: string, why: NeedsNode): void {
    if (flavour !== "node" || !REPLACEABLE.has(what)) throw why;
    need ??= why;
  }

  function numberOf(path: string): number {
    const known = numbers.get(path);
    if (known !== undefined) return known;
    const number = modules.length;
    numbers.set(path, number);
    const shown = path.slice(join(folder, "node_modules").length + 1);
    const read = readModule(path, { shown, isForBrowsers: flavour === "browser", onNeed }, resolver, maxBytes);
    bytes += read.body.length;
    if (bytes > maxBytes || number >= MAX_MODULES) throw tooLarge(maxBytes);
    modules.push({ ...read, path, shown, targets: new Map() });
    return number;
  }

  function resolve(name: string, from: string, how: "import" | "require"): Resolved {
    const here = resolver.resolve(name, from, how);
    const node = nodeResolver.resolve(name, from, how);
    if (here.kind === "file" && node.kind === "file" && here.path !== node.path) replaced.push({ node: node.path, here: here.path }); // prettier-ignore
    return here;
  }

  const entries = imports.map((name) => {
    const number = target(resolve(name, join(folder, "body.js"), "import"), name, "the code", false);
    return `${JSON.stringify(name)}:()=>namespace(${number})`;
  });

  /**
   * A part of Node that a package can do without counts as needed, too: without it the package does something else.
   *
   * @returns -1 for what is not there
   */
  function target(found: Resolved, name: string, by: string, isOptional: boolean): number {
    switch (found.kind) {
      case "file":
        return numberOf(found.path);
      case "builtin":
        onNeed(name, new NeedsNode(`${by} needs Node's own module ${name}`));
        return -1;
      case "missing":
        if (isOptional) return -1;
        throw new Unbundlable(`${by} imports ${JSON.stringify(name)}, which is not among the packages`);
    }
  }

  // Grows while it is walked.
  for (const module of modules) {
    const to = (name: string, how: "import" | "require") => {
      const found = resolve(name, module.path, how);
      // What `require` does not find tells when it is asked for, as in Node.
      module.targets.set(`${how} ${name}`, target(found, name, module.shown, how === "require"));
    };
    for (const name of module.requests) to(name, module.kind === "ecmascript" ? "import" : "require");
    for (const name of module.dynamicRequests) to(name, "import");
  }

  const names = createNames(modules);
  const namesOf = (path: string) => (numbers.has(path) ? names(numbers.get(path) ?? -1) : undefined);
  if (need) return { need, replaced, namesOf };
  const definitions = modules.map((module) => define(module, names));
  const js = `(()=>{${RUNTIME}\nconst D=[${definitions.join(",\n")}];return{${entries.join(",")}}})()`;
  if (Buffer.byteLength(js) > maxBytes) throw tooLarge(maxBytes);
  return { js, replaced, namesOf };
}

const NOTHING: { kind: "common" } & CommonModule = { kind: "common", requests: [], dynamicRequests: [], exports: [], reexports: [], prefix: "$_", body: "" }; // prettier-ignore

const tooLarge = (maxBytes: number) => new Unbundlable(`they are larger than ${maxBytes} bytes together`);

function readModule(path: string, file: SourceFile, resolver: Resolver, maxBytes: number): Read {
  if (statSync(path).size > maxBytes * MAX_SOURCE_FACTOR) throw tooLarge(maxBytes);
  const source = readFileSync(path, "utf8");
  const { type } = resolver.packageOf(path);
  switch (extname(path)) {
    case ".mjs":
      return { kind: "ecmascript", ...readEcmascript(source, file) };
    case ".cjs":
      return { kind: "common", ...readCommon(source, file) };
    case ".json":
      return { ...NOTHING, body: `module.exports=${JSON.stringify(JSON.parse(source))}` };
    case ".js":
      if (type === "module") return { kind: "ecmascript", ...readEcmascript(source, file) };
      return readUndeclared(source, file, type === "commonjs");
    default:
      throw new Unbundlable(`${file.shown} is not a module of JavaScript`);
  }
}

/** As Node does with what says nothing of itself: CommonJS, unless it is one of ECMAScript's by its syntax. */
function readUndeclared(source: string, file: SourceFile, isCommon: boolean): Read {
  try {
    return { kind: "common", ...readCommon(source, file) };
  } catch (error) {
    if (isCommon || !(error instanceof Unbundlable) || error instanceof NeedsNode) throw error;
    try {
      return { kind: "ecmascript", ...readEcmascript(source, file) };
    } catch (second) {
      throw second instanceof NeedsNode ? second : error;
    }
  }
}

type Names = (number: number) => ReadonlySet<string>;

/** What each module exports, names that it passes on included. */
function createNames(modules: readonly Module[]): Names {
  const known = new Map<number, Set<string>>();
  return function namesOf(number: number): ReadonlySet<string> {
    const done = known.get(number);
    if (done) return done;
    const names = new Set<string>();
    known.set(number, names); // now, so that circles end
    const module = modules[number];
    if (!module) return names;
    if (module.kind === "ecmascript") {
      for (const { name } of module.exports) names.add(name);
      for (const star of module.stars) {
        for (const name of namesOf(module.targets.get(`import ${star}`) ?? -1)) if (name !== "default") names.add(name);
      }
      return names;
    }
    for (const name of ["default", "module.exports", ...module.exports]) names.add(name);
    for (const name of module.reexports) {
      for (const each of namesOf(module.targets.get(`require ${name}`) ?? -1)) names.add(each);
    }
    return names;
  };
}

function define(module: Module, names: Names): string {
  const numbers = (list: readonly string[]) => list.map((name) => module.targets.get(`import ${name}`) ?? -1);
  const later = linkedNames(module.prefix).later;
  const dynamic = `d:[${numbers(module.dynamicRequests).join()}]`;
  if (module.kind === "common") {
    const exported = [...module.exports, ...reexported(module, names)];
    const requests = module.requests.map((name) => `${JSON.stringify(name)}:${module.targets.get(`require ${name}`) ?? -1}`); // prettier-ignore
    return `{${dynamic},n:${JSON.stringify([...new Set(exported)])},q:{${requests.join()}},f(module,exports,require,global,${later}){${module.body}\n}}`;
  }
  return `{e:1,r:[${numbers(module.requests).join()}],${dynamic},f(${ecmascriptBody(module, names)}\n}}`;
}

const reexported = (module: CommonModule & { targets: Map<string, number> }, names: Names) =>
  module.reexports.flatMap((name) => [...names(module.targets.get(`require ${name}`) ?? -1)]);

function ecmascriptBody(module: EcmascriptModule & Module, names: Names): string {
  const { prefix, requests } = module;
  const linked = linkedNames(prefix);
  const targetOf = (request: string) => module.targets.get(`import ${request}`) ?? -1;
  for (const { request, name } of module.wants) {
    if (name !== "*" && !names(targetOf(request)).has(name)) {
      throw new Unbundlable(
        `${module.shown} imports ${name} from ${JSON.stringify(request)}, which does not export it`,
      );
    }
  }
  const values = new Map<string, string>();
  const passedOn = (request: string, name: string) => {
    const namespace = linked.namespace(requests.indexOf(request));
    return name === "*" ? namespace : member(namespace, name);
  };
  for (const star of module.stars) {
    for (const name of names(targetOf(star))) if (name !== "default") values.set(name, passedOn(star, name));
  }
  for (const each of module.exports) {
    values.set(each.name, "value" in each ? each.value : passedOn(each.request, each.from));
  }
  const getters = [...values].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${JSON.stringify(name)}:()=>${value}`); // prettier-ignore
  const [n, x, e] = [`${prefix}n`, `${prefix}x`, `${prefix}e`];
  const namespaces = requests.map((_, place) => `${linked.namespace(place)}=${n}(${place})`);
  const declared = namespaces.length > 0 ? `var ${namespaces.join()};` : "";
  return `${n},${x},${e},${linked.call},${linked.later}){"use strict";${declared}${x}({${getters.join()}});${e}();${module.body}`;
}
