import path from "node:path";
import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError } from "../../core/errors.ts";
import type { ShellFile } from "../shells.ts";
import { escapeBytes, quote } from "./shell-program.ts";
import { createShellOutput, type ShellOutput } from "./shell-output.ts";

/**
 * Files of a shell, by content.
 *
 * All of it happens inside of the container, by the container's own user and programs. The daemon's archive API is not
 * used: it works as root on the host, does not see the folders in memory, and had to be mended for following links that
 * a container had laid (CVE-2018-15664, CVE-2019-14271). So a link can lead nowhere but where a command could go anyway.
 */
export interface ShellFiles {
  write(files: readonly ShellFile[], deadline: Deadline): Promise<void>;
  read(paths: readonly string[], maxBytes: number, deadline: Deadline): Promise<ShellFile[]>;
}

export interface ShellFilesOptions {
  /** Absolute: where relative paths begin. */
  folder(): string;
  /** A command of ours, for the agent. @returns its exit code */
  command(text: string, output: ShellOutput, deadline: Deadline): Promise<number>;
  /** A command with input, see `feed`. */
  feed(
    command: readonly string[],
    input: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    deadline: Deadline,
  ): Promise<string | undefined>;
}

/** What goes through the agent: fewer messages, but `sh` reads it byte by byte. */
const MAX_LINE_BYTES = 16_000;
const MAX_PATH_BYTES = 4_000;
const NO_FILE = 66;

export function createShellFiles({ folder, command, feed }: ShellFilesOptions): ShellFiles {
  function absolute(given: string): string {
    if (given === "" || given.includes("\0") || Buffer.byteLength(given) > MAX_PATH_BYTES) {
      throw new DynamicMcpError("INVALID_ARGUMENTS", `${JSON.stringify(given.slice(0, 100))} is not a path`);
    }
    return path.posix.resolve(folder(), given);
  }

  async function writeOne({ path: given, bytes }: ShellFile, deadline: Deadline): Promise<void> {
    if (given.endsWith("/")) throw cannotWrite(given, "it is the name of a folder");
    const file = absolute(given);
    const above = path.posix.dirname(file);
    const small = bytes.byteLength > MAX_LINE_BYTES ? undefined : quote(escapeBytes(bytes));
    let why: string | undefined;
    if (small !== undefined && small.length < MAX_LINE_BYTES) {
      const output = createShellOutput(MAX_OUTPUT_BYTES);
      const text = `mkdir -p -- ${quote(above)} && printf %b ${small} > ${quote(file)}`;
      const code = await command(text, output, deadline);
      if (code !== 0) why = output.textOf("stderr").trim() || `exit code ${code}`;
    } else {
      const script = 'mkdir -p -- "$1" && cat > "$2" && echo done';
      why = await feed(["/bin/sh", "-c", script, "sh", above, file], [bytes], deadline);
    }
    if (why !== undefined) throw cannotWrite(given, why);
  }

  async function readOne(given: string, maxBytes: number, deadline: Deadline): Promise<ShellFile> {
    const file = quote(absolute(given));
    const output = createShellOutput(maxBytes);
    const code = await command(`[ -f ${file} ] || exit ${NO_FILE}; cat -- ${file}`, output, deadline);
    if (output.droppedBytes > 0) {
      const why = `${given} makes the files that are read larger than ${maxBytes} bytes together`;
      throw new DynamicMcpError("TOO_LARGE", why, { data: { path: given, maxBytes } });
    }
    if (code !== 0) {
      const why = code === NO_FILE ? "there is no such file" : output.textOf("stderr").trim();
      throw new DynamicMcpError("INVALID_ARGUMENTS", `${given} cannot be read: ${why}`, { data: { path: given } });
    }
    return { path: given, bytes: output.bytesOf("stdout") };
  }

  return {
    async write(files, deadline) {
      for (const file of files) await writeOne(file, deadline);
    },
    async read(paths, maxBytes, deadline) {
      const files: ShellFile[] = [];
      let left = maxBytes;
      for (const each of paths) {
        const file = await readOne(each, left, deadline);
        left -= file.bytes.byteLength;
        files.push(file);
      }
      return files;
    },
  };
}

const MAX_OUTPUT_BYTES = 4_000;

function cannotWrite(given: string, why: string): DynamicMcpError {
  return new DynamicMcpError("INVALID_ARGUMENTS", `${given} cannot be written: ${why}`, { data: { path: given } });
}
