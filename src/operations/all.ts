import { callDynamicTool } from "./call-dynamic-tool.ts";
import { getDynamicTools } from "./get-dynamic-tools.ts";
import type { Operation } from "./operations.ts";
import { resultRead } from "./result-read.ts";
import { runJsEphemeral } from "./run-js-ephemeral.ts";
import { devEcho, timeNow } from "./samples.ts";
import { sandboxExec } from "./sandbox-exec.ts";
import { sandboxInitialize } from "./sandbox-initialize.ts";
import { sandboxRunJs } from "./sandbox-run-js.ts";
import { sandboxSessionList } from "./sandbox-session-list.ts";
import { sandboxStop } from "./sandbox-stop.ts";
import { systemHealth } from "./system-health.ts";
import { toolCall } from "./tool-call.ts";
import { toolCreate } from "./tool-create.ts";
import { toolDescribe } from "./tool-describe.ts";
import { toolDelete } from "./tool-delete.ts";
import { toolEnable } from "./tool-enable.ts";
import { toolGet } from "./tool-get.ts";
import { toolHistory } from "./tool-history.ts";
import { toolList } from "./tool-list.ts";
import { toolRollback } from "./tool-rollback.ts";
import { toolSearch } from "./tool-search.ts";
import { toolUpdate } from "./tool-update.ts";
import { upstreamAttach, upstreamDetach, upstreamList } from "./upstream-mcp.ts";

/** Every operation there is. A new one is its file and its line here; its name has to be a reserved one. */
export const OPERATIONS: readonly Operation[] = [
  toolCreate,
  toolUpdate,
  toolDelete,
  toolEnable,
  toolList,
  toolGet,
  toolHistory,
  toolRollback,
  runJsEphemeral,
  toolCall,
  toolSearch,
  toolDescribe,
  getDynamicTools,
  callDynamicTool,
  resultRead,
  sandboxInitialize,
  sandboxExec,
  sandboxRunJs,
  sandboxStop,
  sandboxSessionList,
  upstreamAttach,
  upstreamDetach,
  upstreamList,
  systemHealth,
  devEcho,
  timeNow,
];
