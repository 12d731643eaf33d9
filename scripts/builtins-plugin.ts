import type { Plugin } from "esbuild";

/**
 * Takes the members of Node's own modules that are used, instead of importing the modules.
 *
 * An ES import of one reads every member at once, to know the names, and some load a lot when they are read:
 * `import "node:http"` takes 28 ms because it loads the whole of `fetch`, `process.getBuiltinModule` 3 ms.
 */
export const builtins: Plugin = {
  name: "builtins",
  setup(build) {
    build.onResolve({ filter: /^node:/ }, ({ path, kind, importer }) => {
      if (kind !== "import-statement" && kind !== "dynamic-import") return undefined;
      // One for each importer: shared ones would become chunks of their own, and each file that is loaded costs too.
      return { path, namespace: "builtin", suffix: `?${importer}` };
    });
    build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => {
      const members = Object.keys(process.getBuiltinModule(path) ?? {}).filter((name) => /^[a-z]\w*$/i.test(name));
      const contents = [
        `const all = process.getBuiltinModule(${JSON.stringify(path)});`,
        "const take = (name) => all[name];",
        "export default all;",
        // What nobody imports is left out of the bundle, and so never read.
        ...members.filter((name) => name !== "default").map((name) => `export const ${name} = /* @__PURE__ */ take("${name}");`), // prettier-ignore
      ];
      return { contents: contents.join("\n"), loader: "js" };
    });
  },
};
