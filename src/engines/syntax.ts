/**
 * What a parsed body says about itself: syntax that no engine of ours can run, and names it expects to find.
 *
 * No scopes are resolved: a name that is declared anywhere in the body counts as the author's own everywhere. That errs
 * on the side of running the code, whose own error then says what is missing.
 */
export interface Inspection {
  problem?: Finding;
  needsNode: string[];
  /** Of `import("name")`, in the order of the text. */
  imports: FoundImport[];
}

export interface FoundImport {
  name: string;
  /** Where `import` begins, as the parser counts: from 0, in UTF-16 units. */
  at: number;
}

export interface Finding {
  message: string;
  /** As the parser counts: line from 1, column from 0. */
  line: number;
  column: number;
}

/** The little that we need of the parser's nodes. */
interface Node {
  type: string;
  loc?: { start: { line: number; column: number } } | null;
}

/** Globals of Node that are not in the portable profile. */
export const NODE_GLOBALS: ReadonlySet<string> = new Set([
  ...["process", "require", "module", "exports", "global", "Buffer", "__dirname", "__filename"],
  ...["Intl", "WebAssembly", "SharedArrayBuffer", "Atomics", "MessageChannel", "Worker", "BroadcastChannel"],
  ...["AbortController", "AbortSignal", "Event", "EventTarget", "Blob", "File", "FormData"],
  ...["ReadableStream", "WritableStream", "TransformStream", "CompressionStream", "DecompressionStream"],
]);

/** TypeScript that would have to be turned into other code, and what to write in its place. */
const NEEDS_EMIT: Readonly<Record<string, string>> = {
  TSEnumDeclaration: "enum is not supported; write `const Color = { Red: 'red' } as const` instead",
  TSModuleDeclaration: "namespace is not supported; write an object or plain functions instead",
  TSParameterProperty: "parameter properties are not supported; declare the field and assign it in the constructor",
  TSTypeAssertion: "type assertions in angle brackets are not supported; write `value as Type` instead",
  TSImportEqualsDeclaration: "import = is not supported; use `await import(name)` where the engine has packages",
  TSExportAssignment: "export = is not supported; return the result instead",
};

/** Keys of a node that name something and refer to nothing, unless computed. */
const NAME_KEYS: Readonly<Record<string, string>> = {
  MemberExpression: "property",
  OptionalMemberExpression: "property",
  ObjectProperty: "key",
  ObjectMethod: "key",
  ClassMethod: "key",
  ClassProperty: "key",
  ClassAccessorProperty: "key",
};
const NO_REFERENCES: ReadonlySet<string> = new Set(["MetaProperty", "LabeledStatement", "BreakStatement", "ContinueStatement"]); // prettier-ignore

export function inspectSyntax(program: object): Inspection {
  const used = new Map<string, true>();
  const declared = new Set<string>();
  const asked = new Set<string>();
  const imports: FoundImport[] = [];
  let problem: Finding | undefined;

  const refuse = (node: Node, message: string) => {
    problem ??= { message, line: node.loc?.start.line ?? 2, column: node.loc?.start.column ?? 0 };
  };

  // A list of what is left to see instead of recursion: nesting is the author's to choose.
  const left: Node[] = [program as Node];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    const emit = NEEDS_EMIT[node.type];
    if (emit !== undefined && !("declare" in node && node.declare === true)) refuse(node, emit);
    if (node.type === "VariableDeclaration" && "kind" in node && String(node.kind).includes("using")) {
      refuse(node, "using is not supported; use try and finally instead");
    }
    if (node.type === "RegExpLiteral") checkPattern(node);
    if (node.type === "Identifier") used.set((node as unknown as { name: string }).name, true);
    if (node.type === "ImportExpression" || node.type === "Import") noteImport(node);
    if (node.type === "UnaryExpression") noteTypeof(node);
    noteDeclarations(node);
    left.push(...childrenOf(node));
  }

  /** The parser does not look into regular expressions. */
  function checkPattern(node: Node): void {
    const { pattern, flags } = node as unknown as { pattern: string; flags: string };
    try {
      RegExp(pattern, flags);
    } catch (error) {
      refuse(node, error instanceof Error ? error.message : String(error));
    }
  }

  function noteImport(node: Node): void {
    const { source, start } = node as { source?: Node & { value?: unknown }; start?: number };
    if (source?.type === "StringLiteral") imports.push({ name: String(source.value), at: start ?? 0 });
    used.set(`import(${source?.type === "StringLiteral" ? JSON.stringify(source.value) : "..."})`, true);
  }

  function noteTypeof(node: Node): void {
    const { operator, argument } = node as unknown as { operator: string; argument: Node & { name?: string } };
    if (operator === "typeof" && argument.type === "Identifier" && argument.name) asked.add(argument.name);
  }

  function noteDeclarations(node: Node): void {
    const { id, params, param } = node as { id?: Node | null; params?: Node[]; param?: Node | null };
    for (const pattern of [id, param, ...(Array.isArray(params) ? params : [])]) {
      if (pattern) for (const name of namesIn(pattern)) declared.add(name);
    }
  }

  const isMissing = (name: string) => NODE_GLOBALS.has(name) && !declared.has(name) && !asked.has(name);
  const needsNode = [...used.keys()].filter((name) => name.startsWith("import(") || isMissing(name)).toSorted();
  imports.sort((a, b) => a.at - b.at);
  return { needsNode, imports, ...(problem ? { problem } : {}) };
}

function childrenOf(node: Node): Node[] {
  if (NO_REFERENCES.has(node.type)) {
    const { body } = node as { body?: Node };
    return body ? [body] : [];
  }
  const nameKey = (node as { computed?: boolean }).computed ? undefined : NAME_KEYS[node.type];
  const children: Node[] = [];
  for (const [key, value] of Object.entries(node)) {
    if (key === nameKey || key === "loc" || key === "extra") continue;
    for (const item of Array.isArray(value) ? value : [value]) if (isNode(item)) children.push(item);
  }
  return children;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** The names that a binding pattern binds. */
function namesIn(pattern: Node): string[] {
  const { name, properties, elements, argument, left, value } = pattern as {
    name?: string;
    properties?: Node[];
    elements?: (Node | null)[];
    argument?: Node;
    left?: Node;
    value?: Node;
  };
  switch (pattern.type) {
    case "Identifier":
      return name === undefined ? [] : [name];
    case "ObjectPattern":
      return (properties ?? []).flatMap(namesIn);
    case "ObjectProperty":
      return value ? namesIn(value) : [];
    case "ArrayPattern":
      return (elements ?? []).flatMap((element) => (element ? namesIn(element) : []));
    case "RestElement":
      return argument ? namesIn(argument) : [];
    case "AssignmentPattern":
      return left ? namesIn(left) : [];
    default:
      return [];
  }
}
