import { readFileSync, statSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, sep } from "node:path";
import { exports as exportsOf, imports as importsOf } from "resolve.exports";
import { Unbundlable } from "./reason.ts";

/**
 * `node`: as Node finds it. `browser`: with the condition `browser` in place of `node`. The older field `browser` is never
 * read: what it puts in the place of a module, often nothing, is a stopgap and no build of its own.
 */
export type Flavour = "node" | "browser";

export interface PackageJson {
  name?: string;
  type?: string;
  main?: unknown;
  exports?: unknown;
  imports?: unknown;
}

export type Resolved = { kind: "file"; path: string } | { kind: "builtin"; name: string } | { kind: "missing" };

export interface Resolver {
  /** @param from the importing file; @param how by `import` or by `require` */
  resolve(specifier: string, from: string, how: "import" | "require"): Resolved;
  /** The nearest `package.json` above a file. */
  packageOf(file: string): PackageJson;
}

const EXTENSIONS = ["", ".js", ".json"];
/** More than any package has. */
const MAX_JSON_BYTES = 1024 * 1024;

/**
 * Node's way of finding modules, over the files of one layer.
 *
 * @see nodejs.org/api/esm.html, "Resolution Algorithm Specification"; nodejs.org/api/modules.html, "All together"
 */
export function createResolver(root: string, flavour: Flavour): Resolver {
  const packages = new Map<string, PackageJson | undefined>();

  function readPackage(folder: string): PackageJson | undefined {
    if (packages.has(folder)) return packages.get(folder);
    let found: PackageJson | undefined;
    const file = join(folder, "package.json");
    if (isFile(file)) {
      if (statSync(file).size > MAX_JSON_BYTES) throw new Unbundlable(`${shown(file)} is too large`);
      const json = JSON.parse(readFileSync(file, "utf8").replace(/^\uFEFF/, "")) as unknown;
      found = typeof json === "object" && json !== null ? json : {};
    }
    packages.set(folder, found);
    return found;
  }

  const shown = (path: string) => path.slice(root.length + 1);
  const isWithin = (path: string) => path.startsWith(root + sep);
  const isFile = (path: string) => isWithin(path) && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  const isFolder = (path: string) =>
    isWithin(path) && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

  /** The folder of the package that a file belongs to. */
  function homeOf(file: string): string {
    for (let folder = dirname(file); isWithin(folder); folder = dirname(folder)) {
      if (readPackage(folder)) return folder;
    }
    return root;
  }

  function asFile(path: string): string | undefined {
    return EXTENSIONS.map((extension) => path + extension).find(isFile);
  }

  function asFolder(path: string): string | undefined {
    const main = readPackage(path)?.main;
    const named = typeof main === "string" ? join(path, main) : undefined;
    const viaMain = named === undefined ? undefined : (asFile(named) ?? asFile(join(named, "index")));
    return viaMain ?? asFile(join(path, "index"));
  }

  const found = (path: string | undefined): Resolved =>
    path === undefined ? { kind: "missing" } : { kind: "file", path };

  function bare(specifier: string, from: string, how: "import" | "require"): Resolved {
    const [, name = "", rest = ""] = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(specifier) ?? [];
    const home = homeOf(from);
    const own = readPackage(home);
    if (own?.exports !== undefined && own.name === name) return viaExports(home, own, rest, how);
    for (let folder = dirname(from); ; folder = dirname(folder)) {
      const place = join(folder, "node_modules", name);
      if (isFolder(place)) {
        const json = readPackage(place);
        if (json?.exports !== undefined && json.exports !== null) return viaExports(place, json, rest, how);
        if (rest !== "") {
          const path = join(place, rest);
          return found(how === "import" ? [path].find(isFile) : (asFile(path) ?? asFolder(path)));
        }
        return found(asFolder(place));
      }
      if (!isWithin(folder)) return { kind: "missing" };
    }
  }

  const options = (how: "import" | "require") => ({
    require: how === "require",
    browser: flavour === "browser",
    conditions: flavour === "node" ? ["module-sync"] : [],
  });

  function viaExports(home: string, json: PackageJson, rest: string, how: "import" | "require"): Resolved {
    try {
      const targets = exportsOf(json, `.${rest}`, options(how)) ?? [];
      return found(targets.map((target) => join(home, target)).find(isFile));
    } catch {
      return { kind: "missing" }; // the package does not export it
    }
  }

  function viaImports(specifier: string, from: string, how: "import" | "require"): Resolved {
    const home = homeOf(from);
    try {
      for (const target of importsOf(readPackage(home) ?? {}, specifier, options(how)) ?? []) {
        const result = target.startsWith(".") ? found([join(home, target)].find(isFile)) : resolve(target, from, how);
        if (result.kind !== "missing") return result;
      }
    } catch {
      // not among them
    }
    return { kind: "missing" };
  }

  function resolve(specifier: string, from: string, how: "import" | "require"): Resolved {
    if (specifier.startsWith("node:") || isBuiltin(specifier)) return { kind: "builtin", name: specifier };
    if (specifier.startsWith("#")) return viaImports(specifier, from, how);
    if (/^\.{0,2}\//.test(specifier) || specifier === "." || specifier === "..") {
      if (specifier.startsWith("/")) return { kind: "missing" };
      const path = join(dirname(from), specifier);
      return found(how === "import" ? [path].find(isFile) : (asFile(path) ?? asFolder(path)));
    }
    return /^[\w@]/.test(specifier) ? bare(specifier, from, how) : { kind: "missing" };
  }

  return { resolve, packageOf: (file) => readPackage(homeOf(file)) ?? {} };
}
