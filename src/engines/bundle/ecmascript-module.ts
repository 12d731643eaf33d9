import { applyEdits, type Edit, shorten } from "./edits.ts";
import { environmentEdits, type SourceFile } from "./environment.ts";
import { NeedsNode, Unbundlable } from "./reason.ts";
import { isNode, type Node, readTree, textOf, walk } from "./syntax-tree.ts";

/** What a module asks of others, and what it gives; the linker puts in the numbers of the modules. */
export interface EcmascriptModule {
  /** What stands in the `from` of imports and exports, in the order of evaluation, each once. */
  requests: string[];
  /** Of `import("name")` inside of functions. */
  dynamicRequests: string[];
  /** Names that it takes from a request, which must be there; `*` is the whole. */
  wants: { request: string; name: string }[];
  exports: ModuleExport[];
  /** Requests of `export * from`. */
  stars: string[];
  /** Begins every name that the linker gives; nothing in the module does. */
  prefix: string;
  /** A function body that knows {@link linkedNames}. */
  body: string;
}

export type ModuleExport =
  /** An expression in the module that has the value. */
  | { name: string; value: string }
  /** Passed on; `*` is the whole. */
  | { name: string; request: string; from: string };

/**
 * What the linker gives a body by name: the namespaces of the requests by their place, a call without `this`, and the
 * promise of a namespace of `dynamicRequests` by its place.
 */
export const linkedNames = (prefix: string) => ({
  namespace: (place: number) => `${prefix}${place}`,
  call: `${prefix}c`,
  later: `${prefix}m`,
});

/** @returns a start of names that the source has nowhere */
export function freePrefix(source: string): string {
  let prefix = "$_";
  while (source.includes(prefix)) prefix += "_";
  return prefix;
}

/**
 * Turns a module into the body of a function: imports become members of namespaces, looked up at each use, so that
 * bindings stay live and cycles work; exports become getters.
 *
 * @throws Unbundlable for what does not parse, `import.meta`, and `await` at the top
 */
export function readEcmascript(source: string, file: SourceFile): EcmascriptModule {
  const { shown } = file;
  const tree = readTree(source, "module", shown);
  const prefix = freePrefix(source);
  const linked = linkedNames(prefix);
  const module: EcmascriptModule = { requests: [], dynamicRequests: [], wants: [], exports: [], stars: [], prefix, body: "" }; // prettier-ignore
  const edits: Edit[] = [];
  /** Local name of an import -> what stands for it. */
  const imported = new Map<string, string>();

  const place = (list: string[], request: string) => {
    if (!list.includes(request)) list.push(request);
    return list.indexOf(request);
  };
  const remove = ({ start, end }: Node) => edits.push({ start, end, text: ";" });

  for (const node of tree.program["body"] as Node[]) {
    const request = textOf(node["source"]);
    const specifiers = (node["specifiers"] ?? []) as Node[];
    switch (node.type) {
      case "ImportDeclaration":
        if (request !== undefined) takeImports(request, specifiers);
        remove(node);
        break;
      case "ExportAllDeclaration":
        if (request === undefined) break;
        place(module.requests, request);
        if (isNode(node["exported"])) module.exports.push({ name: nameOf(node["exported"]), request, from: "*" });
        else module.stars.push(request);
        remove(node);
        break;
      case "ExportNamedDeclaration":
        takeExports(node, request, specifiers);
        break;
      case "ExportDefaultDeclaration":
        takeDefault(node);
        break;
    }
  }

  function takeImports(request: string, specifiers: readonly Node[]): void {
    const namespace = linked.namespace(place(module.requests, request));
    for (const specifier of specifiers) {
      const local = nameOf(specifier["local"]);
      const name =
        specifier.type === "ImportDefaultSpecifier"
          ? "default"
          : specifier.type === "ImportNamespaceSpecifier"
            ? "*"
            : nameOf(specifier["imported"]);
      module.wants.push({ request, name });
      imported.set(local, name === "*" ? namespace : member(namespace, name));
    }
  }

  function takeExports(node: Node, request: string | undefined, specifiers: readonly Node[]): void {
    if (request !== undefined) place(module.requests, request);
    for (const specifier of specifiers) {
      const [local, name] = [nameOf(specifier["local"]), nameOf(specifier["exported"])];
      if (request === undefined) module.exports.push({ name, value: local });
      else module.exports.push({ name, request, from: local });
      if (request !== undefined) module.wants.push({ request, name: local });
    }
    const { declaration } = node;
    if (!isNode(declaration)) return void remove(node);
    edits.push({ start: node.start, end: declaration.start, text: "" });
    for (const name of declaredBy(declaration)) module.exports.push({ name, value: name });
  }

  function takeDefault(node: Node): void {
    const declaration = node["declaration"] as Node;
    const isDeclared = declaration.type === "FunctionDeclaration" || declaration.type === "ClassDeclaration";
    const id = declaration["id"];
    if (isDeclared && isNode(id)) {
      module.exports.push({ name: "default", value: nameOf(id) });
      edits.push({ start: node.start, end: declaration.start, text: "" });
      return;
    }
    // An object's member gives what has no name the name `default`, as the module would. A function without a name is
    // not hoisted; only a cycle could tell.
    const value = `${prefix}d`;
    module.exports.push({ name: "default", value });
    const own = tree.tokens.filter(
      ({ start, end, type }) => start >= node.start && end > start && end <= node.end && !isComment(type),
    );
    const last = own.at(-1);
    const end = last && source[last.start] === ";" && last.end - last.start === 1 ? last.start : node.end;
    edits.push({ start: node.start, end: own[1]?.end ?? declaration.start, text: `const ${value}={default:` });
    edits.push({ start: end, end: node.end, text: `}.default;` });
  }

  const callees = new Set<number>();
  const shorthands = new Set<number>();
  walk(tree.program, (node, parents) => {
    if (node.type === "MetaProperty" && (node["meta"] as Node)["name"] === "import") {
      throw new NeedsNode(`${shown} uses import.meta`);
    }
    const isTop = !parents.some(({ type }) => /Function|MethodDefinition|PropertyDefinition|StaticBlock/.test(type));
    if (isTop && (node.type === "AwaitExpression" || (node.type === "ForOfStatement" && node["await"] === true))) {
      throw new Unbundlable(`${shown} waits (await) at its top level`);
    }
    if (node.type === "CallExpression") callees.add((node["callee"] as Node).start);
    if (node.type === "TaggedTemplateExpression") callees.add((node["tag"] as Node).start);
    if (node.type === "Property" && node["shorthand"] === true) shorthands.add((node["value"] as Node).start);
    if (node.type === "ImportExpression") {
      const request = textOf(node["source"]);
      if (request === undefined) throw new NeedsNode(`${shown} imports a module by a computed name`);
      edits.push({
        start: node.start,
        end: node.end,
        text: `${linked.later}(${place(module.dynamicRequests, request)})`,
      });
    }
  });

  for (const [local, value] of imported) {
    for (const { identifier } of tree.moduleScope.set.get(local)?.references ?? []) {
      const { start, end } = identifier;
      const isMember = value.includes(".") || value.includes("[");
      const isCall = isMember && callees.has(start) && !/^\s*\./.test(source.slice(end, end + 20));
      const text = isCall ? `${linked.call}(${value})` : value;
      edits.push({ start, end, text: shorthands.has(start) ? `${local}:${text}` : text });
    }
  }
  for (const exported of module.exports) {
    if ("value" in exported) exported.value = imported.get(exported.value) ?? exported.value;
  }
  edits.push(...environmentEdits(tree, file, []), ...shorten(source, tree.tokens));
  module.body = applyEdits(source, edits);
  return module;
}

const isComment = (type: unknown) => type === "CommentBlock" || type === "CommentLine";

/** Of an identifier, or of a name in quotes. */
const nameOf = (node: unknown): string => textOf(node) ?? String((node as Node)["name"]);

export const member = (object: string, name: string) =>
  /^[A-Za-z_$][\w$]*$/.test(name) ? `${object}.${name}` : `${object}[${JSON.stringify(name)}]`;

function declaredBy(declaration: Node): string[] {
  if (declaration.type !== "VariableDeclaration") return [nameOf(declaration["id"])];
  return (declaration["declarations"] as Node[]).flatMap(({ id }) => boundBy(id));
}

function boundBy(pattern: unknown): string[] {
  if (!isNode(pattern)) return [];
  switch (pattern.type) {
    case "Identifier":
      return [nameOf(pattern)];
    case "ObjectPattern":
      return (pattern["properties"] as Node[]).flatMap((each) => boundBy(each["value"] ?? each["argument"]));
    case "ArrayPattern":
      return (pattern["elements"] as unknown[]).flatMap(boundBy);
    case "AssignmentPattern":
      return boundBy(pattern["left"]);
    case "RestElement":
      return boundBy(pattern["argument"]);
    default:
      return [];
  }
}
