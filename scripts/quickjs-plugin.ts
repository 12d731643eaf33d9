import { build, type Plugin } from "esbuild";
import { readFile } from "node:fs/promises";

/**
 * Puts the interpreter's two parts into the child's one file: the code that runs inside it, bundled and as text, and
 * the WebAssembly module itself.
 */
export const quickjs = (root: string): Plugin => ({
  name: "quickjs",
  setup(child) {
    child.onResolve({ filter: /^(guest:prelude|quickjs:wasm)$/ }, ({ path }) => ({ path, namespace: "quickjs" }));
    child.onLoad({ filter: /^guest:prelude$/, namespace: "quickjs" }, async () => {
      const bundled = await build({
        absWorkingDir: root,
        entryPoints: ["src/engines/guest/prelude.ts"],
        bundle: true,
        write: false,
        // Names stay: authors see them, as in `new URL`'s errors and `structuredClone.name`.
        minifyWhitespace: true,
        minifySyntax: true,
        format: "iife",
        globalName: "prelude",
        platform: "neutral",
        target: "es2023",
        metafile: true,
      });
      return {
        contents: `(function (bridge) { ${bundled.outputFiles[0]?.text}; return prelude.harness; })`,
        loader: "text",
        watchFiles: Object.keys(bundled.metafile.inputs).map((path) => `${root}${path}`),
      };
    });
    child.onLoad({ filter: /^quickjs:wasm$/, namespace: "quickjs" }, async () => ({
      contents: await readFile(`${root}node_modules/@jitl/quickjs-wasmfile-release-sync/dist/emscripten-module.wasm`),
      loader: "binary",
    }));
  },
});
