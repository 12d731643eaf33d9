import type { Plugin } from "esbuild";

/**
 * Parts of npm's libraries that resolving names to versions never reaches, and that are half of their size: what runs
 * scripts of packages (nobody here does), checks of signatures (integrity comes with the lock), and character sets of
 * pages that are not in UTF-8.
 */
const LEFT_OUT = /^(?:@npmcli\/run-script|sigstore|iconv-lite)$/;

/** Who reaches them all the same finds an empty object. */
export const leftOut: Plugin = {
  name: "left-out",
  setup(build) {
    build.onResolve({ filter: LEFT_OUT }, ({ path }) => ({ path, namespace: "left-out" }));
    build.onLoad({ filter: /.*/, namespace: "left-out" }, () => ({ contents: "module.exports = {};", loader: "js" }));
  },
};
