/** Other servers behind one endpoint, beside the least that a gateway can be, on the SDK and without. */
import type { Suite } from "../lib/suite.ts";
import { faults } from "./gateway/faults.ts";
import { lists } from "./gateway/lists.ts";
import { memory } from "./gateway/memory.ts";
import { routes } from "./gateway/routes.ts";
import { starts } from "./gateway/starts.ts";

export const gateway: Suite = {
  summary: "other servers behind this one, beside a gateway on the SDK and a bare pass-through",
  async run(effort) {
    const rows = [];
    for (const part of [routes, lists, starts, faults, memory]) rows.push(...(await part(effort)));
    return rows;
  },
};
