import type { Command } from "./command.ts";
import { call } from "./commands/call.ts";
import { configExplain, configSchema } from "./commands/config.ts";
import { doctor } from "./commands/doctor.ts";
import { journalTail } from "./commands/journal.ts";
import { SECRET_COMMANDS } from "./commands/secret.ts";
import { serveCommand } from "./commands/serve.ts";
import { TOOL_COMMANDS } from "./commands/tools.ts";
import { toolsExport, toolsImport } from "./commands/transfer.ts";
import type { Program } from "./connect.ts";

/** All commands, in the order in which help shows them. */
export function allCommands(program: Program): Command[] {
  return [
    serveCommand(program),
    ...TOOL_COMMANDS,
    toolsExport,
    toolsImport,
    call,
    ...SECRET_COMMANDS,
    journalTail,
    doctor,
    configExplain,
    configSchema,
  ];
}
