#!/usr/bin/env node
/*
 * The program. Says what it needs on a Node that is too old, before anything modern is loaded; so there are no static
 * imports here.
 */
declare const __MIN_NODE__: string | undefined;

const needed = typeof __MIN_NODE__ === "undefined" ? "22.23.3" : __MIN_NODE__;
const isNewer = (version: string, than: string): boolean => {
  const [a, b] = [version, than].map((text) => text.split(".").map(Number)) as [number[], number[]];
  const at = a.findIndex((part, index) => part !== b[index]);
  return at < 0 || (a[at] ?? 0) > (b[at] ?? 0);
};

if (isNewer(process.versions.node, needed)) {
  const [{ start }, { openApp }] = await Promise.all([import("./cli/start.ts"), import("./compose/open-app.ts")]);
  await start({ host: process, env: process.env, openApp });
} else {
  process.stderr.write(`dynamic-mcp needs Node ${needed} or newer; this is ${process.versions.node}.\n`);
  process.exitCode = 1;
}

export {};
