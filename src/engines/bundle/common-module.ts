import { parse } from "cjs-module-lexer";
import { applyEdits, shorten } from "./edits.ts";
import { freePrefix, linkedNames } from "./ecmascript-module.ts";
import { environmentEdits, type SourceFile } from "./environment.ts";
import { isNode, type Node, readTree, textOf, walk } from "./syntax-tree.ts";

/** A CommonJS module, as far as it can be known without running it. */
export interface CommonModule {
  /** Of `require("name")`. */
  requests: string[];
  dynamicRequests: string[];
  /** Names that `import` sees, besides `default`. */
  exports: string[];
  /** Requests whose names it passes on. */
  reexports: string[];
  /** Begins the one name that the linker gives, as in {@link linkedNames}. */
  prefix: string;
  /** The body of a function of `module`, `exports`, `require` and `global`, with `this` as its exports. */
  body: string;
}

const GIVEN = ["module", "exports", "require", "global"];

/** @throws Unbundlable for what does not parse, and for names of Node that are not given */
export function readCommon(source: string, file: SourceFile): CommonModule {
  const text = source.replace(/^\uFEFF/, "").replace(/^#!.*/, "");
  const tree = readTree(text, "script", file.shown);
  const prefix = freePrefix(text);
  const free = new Set(tree.globalScope.through.map(({ identifier }) => identifier.start));
  const requests = new Set<string>();
  const dynamicRequests: string[] = [];
  const edits: { start: number; end: number; text: string }[] = [];
  walk(tree.program, (node) => {
    const callee = node["callee"];
    if (node.type === "ImportExpression") {
      const name = textOf(node["source"]);
      // Another name is looked for when it is known; the interpreter then says that it has none.
      if (name === undefined) return;
      if (!dynamicRequests.includes(name)) dynamicRequests.push(name);
      edits.push({
        start: node.start,
        end: node.end,
        text: `${linkedNames(prefix).later}(${dynamicRequests.indexOf(name)})`,
      });
    }
    if (node.type !== "CallExpression" || !isNode(callee)) return;
    if (callee.type !== "Identifier" || callee["name"] !== "require" || !free.has(callee.start)) return;
    const name = textOf((node["arguments"] as Node[])[0]);
    if (name !== undefined) requests.add(name);
  });
  const { exports, reexports } = namesOf(text);
  edits.push(...environmentEdits(tree, file, GIVEN), ...shorten(text, tree.tokens));
  return {
    requests: [...requests],
    dynamicRequests,
    exports,
    reexports,
    prefix,
    body: applyEdits(text, edits),
  };
}

/** By Node's own way of guessing them. */
function namesOf(source: string): { exports: string[]; reexports: string[] } {
  try {
    return parse(source);
  } catch {
    return { exports: [], reexports: [] };
  }
}
