import type { Readable } from "node:stream";
import type { ReadStream } from "node:tty";
import { DynamicMcpError } from "../core/errors.ts";
import type { CommandContext } from "./command.ts";

/** More than any secret may have: whoever sends more is told so, and not waited for. */
const MAX_BYTES = 1024 * 1024;

/** @throws TOO_LARGE, INVALID_ARGUMENTS when it is not UTF-8 */
export async function readSecretFrom(stdin: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const part = Buffer.from(chunk as Uint8Array | string);
    bytes += part.byteLength;
    if (bytes > MAX_BYTES) throw new DynamicMcpError("TOO_LARGE", `a secret does not have ${MAX_BYTES} bytes`);
    chunks.push(part);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new DynamicMcpError("INVALID_ARGUMENTS", "the value is not text in UTF-8", { cause });
  }
}

/**
 * Asks a person for a line that does not show. Backspace takes a character back, Ctrl-U all of them.
 *
 * @throws CANCELLED at Ctrl-C, or when the terminal goes away
 */
export async function askHidden(context: CommandContext, question: string): Promise<string> {
  const stdin = context.terminal.stdin as ReadStream;
  context.terminal.err(question);
  stdin.setEncoding("utf8");
  stdin.setRawMode(true);
  try {
    const line: string[] = [];
    // Iterating would close the terminal at its end.
    for await (const chunk of stdin.iterator({ destroyOnReturn: false })) {
      for (const key of String(chunk)) {
        if (key === "\r" || key === "\n" || key === "\u0004") return line.join("");
        if (key === "\u0003") throw new DynamicMcpError("CANCELLED", "interrupted; nothing was kept");
        if (key === "\u007f" || key === "\b") line.pop();
        else if (key === "\u0015") line.length = 0;
        else if (key >= " ") line.push(key);
      }
    }
    throw new DynamicMcpError("CANCELLED", "the terminal went away; nothing was kept");
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}
