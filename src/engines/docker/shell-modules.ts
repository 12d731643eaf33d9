import { randomBytes } from "node:crypto";
import path from "node:path";
import type { Deadline } from "../../core/deadline.ts";
import { DynamicMcpError, hasCode } from "../../core/errors.ts";
import type { Layer } from "../engine.ts";
import type { ExecEnd, ExecOptions, Shell } from "../shells.ts";
import { entriesOf } from "./layers.ts";
import type { ShellFiles, ShellFilesOptions } from "./shell-files.ts";
import { createShellOutput } from "./shell-output.ts";
import { quote, WORKING_FOLDER } from "./shell-program.ts";

export interface ShellModulesOptions extends ShellFilesOptions {
  files: ShellFiles;
  exec(command: string, options: ExecOptions): Promise<ExecEnd>;
}

const LAYERS_FOLDER = `${WORKING_FOLDER}/.packages`;
const KEY_CHARS = 32;
const OWN_FOLDER = 67;
const MAX_OUTPUT_BYTES = 4_000;

/**
 * Runs JavaScript modules with the image's Node. A module is a file of the folder where the last command left off, while
 * it runs, so that it can import what lies there. Packages are copied in once for each layer, and linked beside it.
 */
export function createShellModules(options: ShellModulesOptions): Shell["runModule"] {
  const { folder, command, feed, files } = options;
  let hasNode = false;
  const copied = new Set<string>();

  const run = async (text: string, deadline: Deadline): Promise<number> =>
    command(text, createShellOutput(MAX_OUTPUT_BYTES), deadline);

  async function assertNode(deadline: Deadline): Promise<void> {
    hasNode ||= (await run("command -v node >/dev/null", deadline)) === 0;
    if (hasNode) return;
    const why = "there is no `node` in the image of this shell: start one with an image such as node:lts-slim";
    throw new DynamicMcpError("IMAGE_UNUSABLE", why);
  }

  async function copyIn(layer: Layer, to: string, deadline: Deadline): Promise<void> {
    if (copied.has(layer.key) && (await run(`[ -d ${quote(to)} ]`, deadline)) === 0) return;
    copied.delete(layer.key);
    const from = path.join(layer.folder, "node_modules");
    const why = await feed(["node", "-e", UNPACK, to], records(from), deadline);
    if (why !== undefined) {
      const text = `the packages cannot be copied into the shell; its folder holds half of its memory: ${why}`;
      throw new DynamicMcpError("TOO_LARGE", text);
    }
    copied.add(layer.key);
  }

  /** A folder of packages that somebody put there is not ours to take away. */
  async function link(to: string, beside: string, deadline: Deadline): Promise<void> {
    const at = quote(`${beside}/node_modules`);
    const text = `if [ -e ${at} ] && [ ! -L ${at} ]; then exit ${OWN_FOLDER}; fi; rm -f -- ${at} && ln -s -- ${quote(to)} ${at}`; // prettier-ignore
    const code = await run(text, deadline);
    if (code === 0) return;
    const why =
      code === OWN_FOLDER
        ? `there is a folder node_modules in ${beside} already: move it away, or leave \`dependencies\` out to use it`
        : `packages cannot be linked into ${beside}`;
    throw new DynamicMcpError("INVALID_ARGUMENTS", why);
  }

  /** @returns the file, in a folder that can be written */
  async function place(code: string, deadline: Deadline): Promise<string> {
    const name = `.run-${randomBytes(6).toString("hex")}.mjs`;
    const bytes = Buffer.from(code, "utf8");
    const write = async (file: string) => {
      await files.write([{ path: file, bytes }], deadline);
      return file;
    };
    try {
      return await write(path.posix.join(folder(), name));
    } catch (error) {
      if (!hasCode(error, "INVALID_ARGUMENTS") || folder() === WORKING_FOLDER) throw error;
      return write(path.posix.join(WORKING_FOLDER, name));
    }
  }

  return async (code, { layer, ...limits }) => {
    const { deadline } = limits;
    await assertNode(deadline);
    const file = await place(code, deadline);
    try {
      if (layer) {
        const to = `${LAYERS_FOLDER}/${layer.key.slice(0, KEY_CHARS)}/node_modules`;
        await copyIn(layer, to, deadline);
        await link(to, path.posix.dirname(file), deadline);
      }
      return await options.exec(`node ${quote(file)}`, limits);
    } finally {
      await run(`rm -f -- ${quote(file)}`, deadline).catch(() => {}); // the shell is gone, and the file with it
    }
  };
}

/**
 * What the container's Node makes files of: for each entry four bytes of length and a JSON text, then the content. It is
 * moved to its place when all of it is there.
 */
const UNPACK = `
const fs = require("fs"), path = require("path");
const to = process.argv[1], temp = to + "." + process.pid;
const read = (bytes) => {
  const into = Buffer.alloc(bytes);
  for (let at = 0, count; at < bytes; at += count) {
    try { count = fs.readSync(0, into, at, bytes - at, null); } catch (error) { if (error.code !== "EAGAIN") throw error; count = 0; continue; }
    if (count === 0) throw new Error("half of the packages are missing");
  }
  return into;
};
try {
  fs.mkdirSync(temp, { recursive: true });
  for (;;) {
    const length = read(4).readUInt32BE(0);
    if (length === 0) break;
    const { kind, name, mode, size, target } = JSON.parse(read(length).toString("utf8"));
    const file = path.join(temp, name);
    if (kind === "folder") fs.mkdirSync(file, { recursive: true });
    else if (kind === "link") fs.symlinkSync(target, file);
    else {
      const handle = fs.openSync(file, "wx", mode);
      for (let left = size; left > 0; ) {
        const part = read(Math.min(left, 65536));
        for (let at = 0; at < part.length; ) at += fs.writeSync(handle, part, at);
        left -= part.length;
      }
      fs.closeSync(handle);
    }
  }
  fs.rmSync(to, { recursive: true, force: true });
  fs.renameSync(temp, to);
  console.log("done");
} catch (error) {
  fs.rmSync(temp, { recursive: true, force: true });
  console.error(error.message);
}
`;

async function* records(from: string): AsyncGenerator<Uint8Array> {
  for await (const entry of entriesOf(from)) {
    const { content, ...facts } = entry.kind === "file" ? entry : { ...entry, content: [] };
    const head = Buffer.from(JSON.stringify(facts), "utf8");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(head.byteLength);
    yield length;
    yield head;
    yield* content;
  }
  yield Buffer.alloc(4);
}
