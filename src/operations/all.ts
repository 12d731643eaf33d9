import type { Operation } from "./operations.ts";
import { runJsEphemeral } from "./run-js-ephemeral.ts";
import { devEcho, timeNow } from "./samples.ts";
import { systemHealth } from "./system-health.ts";
import { toolCall } from "./tool-call.ts";
import { toolCreate } from "./tool-create.ts";
import { toolDelete } from "./tool-delete.ts";
import { toolEnable } from "./tool-enable.ts";
import { toolGet } from "./tool-get.ts";
import { toolHistory } from "./tool-history.ts";
import { toolList } from "./tool-list.ts";
import { toolRollback } from "./tool-rollback.ts";
import { toolUpdate } from "./tool-update.ts";

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
  systemHealth,
  devEcho,
  timeNow,
];
