import { ERRORS } from "../../core/errors.ts";
import { LOGS_META } from "../../core/results.ts";
import { isJsonObject } from "../../core/json.ts";
import { argument, type Command, JSON_FLAG } from "../command.ts";
import { namedTool } from "../known-tools.ts";
import { callAsOperator, textOf } from "../operate.ts";
import { json, safe, words } from "../print.ts";
import { parseObject, readValue } from "../values.ts";

export const call: Command = {
  name: "call",
  summary: "Call a tool, also one of another server, and print its result.",
  details:
    "Prints the text of the result, with `--json` the whole result of the MCP call. What the tool printed goes to stderr.",
  args: [{ name: "tool", about: "Its name, in either spelling." }],
  flags: [
    { names: ["--args"], form: "value", value: "json", about: "Arguments as a JSON object: the text itself, `@file`, or `-` for standard input." }, // prettier-ignore
    { names: ["--server"], form: "value", value: "name", about: "The server whose tool it is; its own name for it can be used then." }, // prettier-ignore
    JSON_FLAG,
  ],
  examples: [
    `call text.uppercase --args '{"text":"hello"}'`,
    "call system_health --json",
    "call text.uppercase --args @arguments.json",
    `call create_issue --server github --args '{"title":"Broken"}'`,
  ],
  async handler(context) {
    const given = context.flag("--args");
    const args = given === undefined ? {} : parseObject(await readValue(context, given), "--args");
    const { name } = await namedTool(context, argument(context, "tool"), context.flag("--server"));
    const end = await callAsOperator(context, name, args);
    if (end.state === "paused") {
      context.terminal.err(
        "The tool asks questions, which the command line cannot answer; call it from an MCP client.",
      );
      return ERRORS.CAPABILITY_MISSING.exit;
    }
    const { result } = end;
    const logs = result._meta?.[LOGS_META];
    for (const line of Array.isArray(logs) ? logs : []) {
      if (isJsonObject(line)) context.terminal.err(safe(`${words(line["level"])}: ${words(line["text"])}`));
    }
    if (context.isJson) context.terminal.out(json(result));
    else if (end.state === "done") context.terminal.out(safe(textOf(result)));
    else context.terminal.err(safe(textOf(result)));
    return end.state === "done" ? 0 : ERRORS[end.code].exit;
  },
};
