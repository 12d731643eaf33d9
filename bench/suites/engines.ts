/** What running a body costs in each engine, and what packages and shells cost. */
import type { Suite } from "../lib/suite.ts";
import { docker } from "./engines/docker.ts";
import { containers } from "./engines/containers.ts";
import { node } from "./engines/node.ts";
import { packages } from "./engines/packages.ts";
import { quickjs } from "./engines/quickjs.ts";
import { shells } from "./engines/shells.ts";

export const engines: Suite = {
  summary: "engines alone: warm, cold, under load, their memory; packages and shells",
  async run(effort) {
    const rows = [];
    for (const [name, measure] of Object.entries({ quickjs, node, docker, containers, packages, shells })) {
      effort.say(`  ${name}`);
      rows.push(...(await measure(effort)));
    }
    return rows;
  },
};
