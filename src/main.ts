#!/usr/bin/env node
/*
 * The program. Says what it needs on a Node that is too old, before anything modern is loaded; so there are no static
 * imports here. The rest is loaded when it is needed: after `start` has turned the cache of compiled code on, and not
 * at all for `--help`.
 */
declare const __MIN_NODE__: string | undefined;

const needed = typeof __MIN_NODE__ === "undefined" ? "22.23.3" : __MIN_NODE__;
const isOlder = (version: string, than: string): boolean => {
  const [a, b] = [version, than].map((text) => text.split(".").map(Number)) as [number[], number[]];
  const at = a.findIndex((part, index) => part !== b[index]);
  return (a[at] ?? 0) < (b[at] ?? 0);
};

if (isOlder(process.versions.node, needed)) {
  process.stderr.write(`dynamic-mcp needs Node ${needed} or newer; this is ${process.versions.node}.\n`);
  process.exitCode = 1;
} else {
  const { start } = await import("./cli/start.ts");
  await start({
    host: process,
    env: process.env,
    calledAs: /(^|[/\\])dmcp(\.[cm]?[jt]s)?$/.test(process.argv[1] ?? "") ? "dmcp" : "dynamic-mcp",
    openApp: async (settings, ambient, { isServing }) =>
      (await import("./compose/open-app.ts")).openApp(settings, { ambient, isServing }),
  });
}
