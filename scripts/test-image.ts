/**
 * Makes the container images that tests use, of what is on this machine, since no registry has to be reachable:
 * busybox (static) and the Node that runs this. `node scripts/test-image.ts` makes all of them; one that is there is kept.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createDockerClient, type DockerClient } from "../src/machine/docker/docker.ts";
import { tar, type TarEntry } from "../src/machine/docker/tar.ts";

/** Goes up when the recipe changes, so that an older image is made anew. */
const RECIPE = 1;
const LABEL = "dynamic-mcp.test-image";
const MAJOR = process.versions.node.split(".")[0];

export const TEST_IMAGES = {
  /** Node, a shell and the usual small commands. */
  node: `dynamic-mcp-test/node:${MAJOR}`,
  /** A shell and commands, no Node. */
  plain: `dynamic-mcp-test/plain:1`,
  /** Node and nothing else. */
  bare: `dynamic-mcp-test/bare:${MAJOR}`,
} as const;
export type TestImage = keyof typeof TEST_IMAGES;

/** Links to busybox, which does what its name says. */
const COMMANDS =
  "sh ash cat cp cut date df dd echo env false find free grep head hostname id ip kill ln ls mkdir mount mv nc nproc ps pwd readlink rm sed seq setsid sleep sort stat su tail tar test timeout touch tr true uname wc wget which xargs yes"; // prettier-ignore

/** @returns the image's name. Quick when it is there already. */
export async function ensureTestImage(docker: DockerClient, image: TestImage): Promise<string> {
  const name = TEST_IMAGES[image];
  const mark = `${image} ${image === "plain" ? "" : `${process.version} `}${RECIPE}`;
  const found = await docker.images.inspect(name);
  if (found?.labels[LABEL] === mark) return name;
  const changes = ["ENV PATH=/usr/local/bin:/bin", 'CMD ["node"]', `LABEL ${LABEL}="${mark}"`];
  await docker.images.import(tar(contents(image)), { name, changes, timeoutMs: 120_000 });
  return name;
}

function* contents(image: TestImage): Generator<TarEntry> {
  const entries = new Map<string, TarEntry>();
  const add = (entry: TarEntry) => {
    const above = path.posix.dirname(entry.name);
    if (above !== "." && !entries.has(above)) add({ kind: "folder", name: above, mode: 0o755 });
    entries.set(entry.name, entry);
  };
  const file = (name: string, bytes: Uint8Array, mode = 0o644) =>
    add({ kind: "file", name, mode, size: bytes.byteLength, content: [bytes] });

  add({ kind: "folder", name: "tmp", mode: 0o1777 });
  file("etc/passwd", Buffer.from("root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/tmp:/bin/sh\n"));
  file("etc/group", Buffer.from("root:x:0:\nnobody:x:65534:\n"));
  if (image !== "plain") {
    file("usr/local/bin/node", readFileSync(process.execPath), 0o755);
    for (const library of librariesOf(process.execPath)) file(library.slice(1), readFileSync(library), 0o755);
  }
  if (image !== "bare") {
    file("bin/busybox", readFileSync(find("busybox")), 0o755);
    for (const command of COMMANDS.split(" ")) add({ kind: "link", name: `bin/${command}`, target: "busybox" });
  }
  yield* entries.values();
}

/** As the loader finds them, under the names it asks for. */
function librariesOf(program: string): string[] {
  const told = execFileSync("ldd", [program], { encoding: "utf8" });
  return [...told.matchAll(/\s(\/\S+)/g)].map(([, file]) => file ?? "");
}

function find(program: string): string {
  for (const folder of ["/bin", "/usr/bin", "/usr/local/bin"]) {
    try {
      return realpathSync(path.join(folder, program));
    } catch {
      // Not there; the next folder may have it.
    }
  }
  throw new Error(`${program} is not installed: on Debian it is in the package busybox-static`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const docker = createDockerClient();
  for (const image of Object.keys(TEST_IMAGES) as TestImage[]) {
    const startedAt = performance.now();
    const name = await ensureTestImage(docker, image);
    process.stdout.write(`${name} (${Math.round(performance.now() - startedAt)} ms)\n`);
  }
  docker.close();
}
