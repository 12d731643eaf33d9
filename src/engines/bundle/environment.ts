import { NODE_GLOBALS } from "../syntax.ts";
import type { Edit } from "./edits.ts";
import { NeedsNode } from "./reason.ts";
import { type Node, type Tree, walk } from "./syntax-tree.ts";

/** Beside those of a function body: what packages for Node use without asking. */
const OF_NODE = new Set([
  ...[...NODE_GLOBALS, "setImmediate", "clearImmediate", "navigator"],
  ...["CustomEvent", "MessageEvent", "CloseEvent", "MessagePort", "TextEncoderStream", "TextDecoderStream"],
  ...["Headers", "Request", "Response", "WebSocket", "EventSource", "URLPattern", "PerformanceObserver"],
  ...["DisposableStack", "AsyncDisposableStack", "SuppressedError", "CryptoKey", "SubtleCrypto"],
]);
/** What builds for browsers may take for granted. Those for Node know that they have none of it. */
const OF_BROWSERS = new Set([
  ...["self", "window", "document", "navigator", "location", "history", "localStorage", "sessionStorage"],
  ...["XMLHttpRequest", "HTMLElement", "Element", "Node", "Image", "requestAnimationFrame"],
]);

/** What is to be said of a file, to which build it belongs, and who hears what it needs. */
export interface SourceFile {
  shown: string;
  isForBrowsers: boolean;
  /**
   * Told what of Node the file cannot do without, such as `Buffer`.
   *
   * @throws NeedsNode unless another build of the package may do without it
   */
  onNeed(what: string, why: NeedsNode): void;
}

/**
 * Sees to the names that a file expects to find around it. `process.env.NODE_ENV` is undefined, as it is in every
 * sandbox; what a file asks `typeof` about it knows how to do without. The interpreter's `crypto` gives random bytes and
 * nothing else: where more is asked of it, only Node will do.
 *
 * @param given names that the bundle provides
 * @throws NeedsNode when it needs something of Node, as `onNeed` decides
 */
export function environmentEdits(tree: Tree, file: SourceFile, given: readonly string[]): Edit[] {
  const edits: Edit[] = [];
  const asked = new Set<string>();
  const replaced = new Set<number>();
  walk(tree.program, (node) => {
    const argument = node["argument"] as Node | undefined;
    if (node.type === "UnaryExpression" && node["operator"] === "typeof" && argument?.type === "Identifier") {
      asked.add(String(argument["name"]));
    }
    if (isSubtleCrypto(node)) file.onNeed("crypto.subtle", new NeedsNode(`${file.shown} uses crypto.subtle`));
    if (isEnvironmentName(node)) {
      edits.push({ start: node.start, end: node.end, text: "undefined" });
      replaced.add(node.start);
    }
  });
  for (const { identifier } of tree.globalScope.through) {
    const { name, start } = identifier;
    const isMissing = OF_NODE.has(name) ? !given.includes(name) : file.isForBrowsers && OF_BROWSERS.has(name);
    if (isMissing && !asked.has(name) && !replaced.has(start)) {
      file.onNeed(name, new NeedsNode(`${file.shown} uses ${name}`));
    }
  }
  return edits;
}

/** `process.env.NODE_ENV` */
function isEnvironmentName(node: Node): boolean {
  const inner = node["object"] as Node | undefined;
  return (
    isMember(node, "NODE_ENV") &&
    inner !== undefined &&
    isMember(inner, "env") &&
    (inner["object"] as Node)["name"] === "process"
  );
}

/** `crypto.subtle`, `globalThis.crypto.subtle` */
function isSubtleCrypto(node: Node): boolean {
  const inner = node["object"] as Node | undefined;
  return isMember(node, "subtle") && inner !== undefined && (inner["name"] === "crypto" || isMember(inner, "crypto"));
}

const isMember = (node: Node, name: string) =>
  node.type === "MemberExpression" && node["computed"] === false && (node["property"] as Node)["name"] === name;
