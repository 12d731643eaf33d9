import { afterEach } from "vitest";
import { createWeb } from "../../machine/net/fixtures/web.ts";
import { describeUpstreamContract } from "../upstream.contract.ts";
import { connectHttpThrough } from "./connect-http.ts";
import { type Bridge, bridgeRawServer } from "./fixtures/http-bridge.ts";

const web = createWeb();
const bridges: Bridge[] = [];

afterEach(async () => {
  await web.close();
  await Promise.all(bridges.splice(0).map((bridge) => bridge.close()));
});

describeUpstreamContract("http", async (options) => {
  const bridge = bridgeRawServer();
  bridges.push(bridge);
  const port = await web.serve(bridge.listener);
  return connectHttpThrough(undefined)(
    { transport: "http", url: `http://127.0.0.1:${port}/mcp`, headers: {} },
    options,
  );
});
