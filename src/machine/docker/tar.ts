/** What a tar archive is made of. Names are relative, with `/`, without `..`; they are the caller's to check. */
export type TarEntry =
  | {
      kind: "file";
      name: string;
      mode: number;
      size: number;
      content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
    }
  | { kind: "folder"; name: string; mode: number }
  | { kind: "link"; name: string; target: string };

const BLOCK = 512;

/**
 * Writes a tar archive, piece by piece: POSIX.1-2001 (pax) for what the old header cannot say, such as long names. All
 * belongs to `owner`, and was made at the start of 1970, so that the same entries give the same bytes.
 *
 * @throws Error when a file's content is not as long as its `size`
 */
export async function* tar(
  entries: AsyncIterable<TarEntry> | Iterable<TarEntry>,
  owner: { uid: number; gid: number } = { uid: 0, gid: 0 },
): AsyncGenerator<Uint8Array> {
  for await (const entry of entries) {
    const records = paxRecords(entry);
    if (records.byteLength > 0) {
      yield header({ name: "pax", mode: 0o644, size: records.byteLength, type: "x", target: "", owner });
      yield padded(records);
    }
    const size = entry.kind === "file" ? entry.size : 0;
    yield header({
      name: entry.kind === "folder" ? `${entry.name}/` : entry.name,
      mode: entry.kind === "link" ? 0o777 : entry.mode,
      size,
      type: entry.kind === "file" ? "0" : entry.kind === "folder" ? "5" : "2",
      target: entry.kind === "link" ? entry.target : "",
      owner,
    });
    if (entry.kind !== "file") continue;
    let written = 0;
    for await (const chunk of entry.content) {
      written += chunk.byteLength;
      if (written > size) break;
      yield chunk;
    }
    if (written !== size) throw new Error(`${entry.name} changed while it was archived`);
    if (size % BLOCK > 0) yield Buffer.alloc(BLOCK - (size % BLOCK));
  }
  yield Buffer.alloc(2 * BLOCK);
}

const NAME_BYTES = 100;

/** What does not fit the header: `length key=value\n`, the length counting itself. */
function paxRecords(entry: TarEntry): Buffer {
  const records: string[] = [];
  const add = (key: string, value: string) => {
    const rest = ` ${key}=${value}\n`;
    const bytes = Buffer.byteLength(rest);
    let length = bytes + String(bytes).length;
    length = bytes + String(length).length;
    records.push(`${length}${rest}`);
  };
  const name = entry.kind === "folder" ? `${entry.name}/` : entry.name;
  if (!fits(name)) add("path", name);
  if (entry.kind === "link" && !fits(entry.target)) add("linkpath", entry.target);
  return Buffer.from(records.join(""), "utf8");
}

const fits = (text: string) => text.length <= NAME_BYTES && /^[\x20-\x7e]*$/.test(text);

interface Header {
  name: string;
  mode: number;
  size: number;
  type: string;
  target: string;
  owner: { uid: number; gid: number };
}

function header({ name, mode, size, type, target, owner }: Header): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, bytes: number) =>
    block.write(value.toString(8).padStart(bytes - 1, "0"), at, bytes - 1, "latin1");
  block.write(name, 0, NAME_BYTES, "latin1");
  octal(mode, 100, 8);
  octal(owner.uid, 108, 8);
  octal(owner.gid, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.fill(" ", 148, 156);
  block.write(type, 156, 1, "latin1");
  block.write(target, 157, NAME_BYTES, "latin1");
  block.write("ustar\x0000", 257, 8, "latin1");
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, 8, "latin1");
  return block;
}

function padded(content: Buffer): Buffer {
  const over = content.byteLength % BLOCK;
  return over === 0 ? content : Buffer.concat([content, Buffer.alloc(BLOCK - over)]);
}
