import { parse } from "@babel/parser";
import { analyze, type Scope } from "eslint-scope";
import { Unbundlable } from "./reason.ts";

/** As ESTree has it; only what we look at. */
export interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

export interface Tree {
  program: Node;
  tokens: { start: number; end: number; type: unknown }[];
  /** Where the module's own names live. */
  moduleScope: Scope;
  globalScope: Scope;
}

/**
 * @param kind `module` for ECMAScript modules, `script` for CommonJS
 * @throws Unbundlable for what does not parse
 */
export function readTree(source: string, kind: "module" | "script", shown: string): Tree {
  try {
    const file = parse(source, {
      sourceType: kind,
      plugins: ["estree"],
      tokens: true,
      ranges: true,
      attachComment: false,
      // CommonJS is the body of a function.
      ...(kind === "script" ? { allowReturnOutsideFunction: true, allowNewTargetOutsideFunction: true } : {}),
    });
    const program = file.program as unknown as Node;
    const { scopes, globalScope } = analyze(program, { ecmaVersion: 2024, sourceType: kind, fallback: "iteration" });
    const moduleScope = scopes.find(({ type }) => type === "module") ?? globalScope;
    return { program, tokens: (file.tokens ?? []) as Tree["tokens"], moduleScope, globalScope };
  } catch (error) {
    throw new Unbundlable(`${shown} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** All nodes below, parents first; `parents` is theirs, the nearest last. Without recursion: nesting is not ours. */
export function walk(root: Node, visit: (node: Node, parents: readonly Node[]) => void): void {
  const left: { node: Node; depth: number }[] = [{ node: root, depth: 0 }];
  const parents: Node[] = [];
  for (let next = left.pop(); next; next = left.pop()) {
    const { node, depth } = next;
    parents.length = depth;
    visit(node, parents);
    parents.push(node);
    for (const [key, value] of Object.entries(node)) {
      if (key === "loc" || key === "range" || key === "extra") continue;
      for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
        if (isNode(item)) left.push({ node: item, depth: depth + 1 });
      }
    }
  }
}

export const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string" && "start" in value;

/** The text of a literal that is one. */
export const textOf = (node: unknown): string | undefined =>
  isNode(node) && node.type === "Literal" && typeof node["value"] === "string" ? node["value"] : undefined;
