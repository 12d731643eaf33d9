import { literalImports } from "../compile.ts";
import type { Job, Program } from "../engine.ts";

/** A job whose body asks a function for its packages. */
export interface LinkedJob extends Job {
  /** What the wrapper of the body has to bind to that function; absent where the body has no bundle. */
  importName?: string;
}

interface Linked {
  js: string;
  importName: string;
}

const MAX_PROGRAMS = 256;

/**
 * Turns each `import` of a literal name in the body into a call of a function that the wrapper has to bind. Its name is
 * as long as `import` and appears nowhere else, so every position in the body stays where it was.
 *
 * Bodies are read once; those used least recently are forgotten.
 *
 * @returns gives the job as it is when it has no bundle
 */
export function createImportLinker(): (job: Job) => Promise<LinkedJob> {
  const known = new Map<string, Linked>();
  return async (job) => {
    if (!job.bundle) return job;
    const { program } = job;
    const key = program.digest;
    const linked = known.get(key) ?? (await link(program));
    known.delete(key);
    known.set(key, linked);
    for (const oldest of known.keys()) {
      if (known.size <= MAX_PROGRAMS) break;
      known.delete(oldest);
    }
    return { ...job, program: { ...program, js: linked.js }, importName: linked.importName };
  };
}

async function link({ js }: Program): Promise<Linked> {
  const imports = await literalImports(js);
  let importName = "";
  for (let number = 0; importName === "" || js.includes(importName); number++) {
    importName = `$i${number.toString(36).padStart(4, "0")}`;
  }
  let linked = "";
  let at = 0;
  for (const each of imports) {
    linked += js.slice(at, each.at) + importName;
    at = each.at + "import".length;
  }
  return { js: linked + js.slice(at), importName };
}
