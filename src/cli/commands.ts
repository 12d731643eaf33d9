import type { Command } from "./command.ts";
import { add } from "./commands/add.ts";
import { call } from "./commands/call.ts";
import { configExplain, configSchema } from "./commands/config.ts";
import { doctor } from "./commands/doctor.ts";
import { journalTail } from "./commands/journal.ts";
import { SECRET_COMMANDS } from "./commands/secret.ts";
import { serveCommand } from "./commands/serve.ts";
import { SERVER_COMMANDS } from "./commands/servers.ts";
import { tokens } from "./commands/tokens.ts";
import { TOOL_COMMANDS } from "./commands/tools.ts";
import { toolsExport, toolsImport } from "./commands/transfer.ts";
import type { Program } from "./connect.ts";

/** All commands, in the order in which help shows them. */
export function allCommands(program: Program): Command[] {
  return [
    serveCommand(program),
    add,
    ...SERVER_COMMANDS,
    ...TOOL_COMMANDS,
    toolsExport,
    toolsImport,
    call,
    tokens,
    ...SECRET_COMMANDS,
    journalTail,
    doctor,
    configExplain,
    configSchema,
  ];
}
