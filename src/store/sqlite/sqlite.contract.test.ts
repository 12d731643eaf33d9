import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeStoreContract } from "../store.contract.ts";
import { createSqliteStore } from "./sqlite-store.ts";

describeStoreContract("sqlite", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "dynamic-mcp-store-"));
  const store = await createSqliteStore({ dataDir });
  return {
    store,
    reopen: () => createSqliteStore({ dataDir }),
    async close() {
      await store.close();
      await rm(dataDir, { recursive: true });
    },
  };
});
