import type { Caller } from "../core/caller.ts";
import { VERSION } from "../core/version.ts";
import { createAnswer } from "./answer.ts";
import { createChannels } from "./channels.ts";
import { listenHttp } from "./http/listen.ts";
import { createLists } from "./lists.ts";
import { createMethods } from "./methods.ts";
import { createNotices } from "./notices.ts";
import { createRequestStates, type RequestStates } from "./request-state.ts";
import { createResultWriter, type Implementation } from "./results.ts";
import { createRuns } from "./runs.ts";
import { SERVER_DEFAULTS, type HttpListener, type McpServer, type ServerParts } from "./server.ts";
import { createStdio, type Stdio } from "./stdio/serve.ts";

/** An {@link McpServer}: one set of methods, lists, notices and channels behind every transport. */
export function createMcpServer(parts: ServerParts): McpServer {
  const { surface, calls, log, identify, isReady, instructions } = parts;
  const options = { ...SERVER_DEFAULTS, ...parts.options };
  const now = parts.now ?? Date.now;
  const serverInfo: Implementation = { name: "dynamic-mcp", version: parts.version ?? VERSION };

  let keyed: Promise<RequestStates> | undefined;
  const states = () =>
    (keyed ??= parts.sharedKey().then(
      (key) => createRequestStates({ key, ttlMs: options.askTtlMs, now }),
      (error: unknown) => {
        keyed = undefined;
        throw error;
      },
    ));

  const writer = createResultWriter(serverInfo);
  const { pageSize, listTtlMs, maxStreams, callTimeoutMs, logsMessages } = options;
  const lists = createLists({ surface, writer, pageSize, hint: { ttlMs: listTtlMs, cacheScope: "private" } });
  const notices = createNotices({ surface, serverInfo, maxListeners: maxStreams });
  const runs = createRuns({ calls, lists, states, callTimeoutMs });
  const methods = createMethods({ lists, runs, notices, writer, instructions });
  const answer = createAnswer({ methods, log, logsMessages });
  const { maxChannels, channelIdleMs } = options;
  const channels = createChannels({ store: parts.channels, maxChannels, idleMs: channelIdleMs, now, log });

  const rootsChanged = (caller: Caller) => surface.rootsChanged(caller);

  const listeners = new Set<HttpListener>();
  const pipes = new Set<Stdio>();

  return {
    async listenHttp() {
      const listener = await listenHttp({
        answer,
        lists,
        channels,
        notices,
        serverInfo,
        instructions,
        rootsChanged,
        identify,
        isReady,
        options,
        log, // prettier-ignore
      });
      listeners.add(listener);
      return listener;
    },

    async serveStdio(input, output) {
      const { maxBodyBytes: maxMessageBytes, shutdownGraceMs } = options;
      const pipe = createStdio(
        { answer, notices, serverInfo, instructions, rootsChanged, maxMessageBytes, shutdownGraceMs, log },
        input,
        output,
      );
      pipes.add(pipe);
      await pipe.finished;
      pipes.delete(pipe);
    },

    counters: () => ({
      channels: channels.count(),
      streams: notices.open(),
      requests: answer.running(),
    }),

    async close(graceMs = options.shutdownGraceMs) {
      const ends = [
        ...[...listeners].map((each) => each.close(graceMs)),
        ...[...pipes].map((each) => each.end(graceMs)),
      ];
      await Promise.all(ends);
      notices.close();
      channels.close();
    },
  };
}
