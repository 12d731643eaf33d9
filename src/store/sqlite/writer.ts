import { parentPort, workerData } from "node:worker_threads";
import { createTransactions, type Reply, type TransactionOptions } from "./transactions.ts";
import type { WriteRequest } from "./writes.ts";

/** The program of the writing thread: a batch in, its replies out, one after the other. */
export type ToWriter = { requests: readonly WriteRequest[]; waitMs: number } | "close";
export type FromWriter = readonly Reply[];

const port = parentPort;
if (!port) throw new Error("this program runs as a worker thread of dynamic-mcp");
const transactions = createTransactions(workerData as TransactionOptions);

port.on("message", (message: ToWriter) => {
  if (message === "close") {
    transactions.close();
    port.close();
    return;
  }
  port.postMessage(transactions.perform(message.requests, message.waitMs) satisfies FromWriter);
});
