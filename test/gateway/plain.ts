import { fileURLToPath } from "node:url";
import type { Command } from "../support/real-servers.ts";

const SERVER = fileURLToPath(new URL("fixtures/plain-server.mjs", import.meta.url));

/** The smallest server; its arguments say what it does wrong, see `fixtures/plain-server.mjs`. */
export const plain = (...args: string[]): Command => ({ command: process.execPath, args: [SERVER, ...args] });
