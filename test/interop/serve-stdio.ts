/** A server on stdin and stdout, for clients that start their server themselves. */
import { openWorld } from "../support/open-world.ts";
import pack from "./pack.ts";

const world = await openWorld(pack);
await world.server.serveStdio(process.stdin, process.stdout);
await world.close();
