import { parseSync } from "oxc-parser";

/** What a file reaches out for, found in its syntax tree. `line` starts at 1. */
export interface Reach {
  line: number;
  kind: "import" | "computed import" | "process.env" | "listen";
  /** The module asked for; only of an import. */
  from?: string;
}

interface Node {
  type: string;
  start: number;
  [key: string]: unknown;
}

/** @throws Error when the file does not parse */
export function readModule(file: string, source: string): Reach[] {
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const found: Reach[] = [];
  walk(program, (node) => {
    const reach = reachOf(node);
    if (reach) found.push({ ...reach, line: source.slice(0, node.start).split("\n").length });
  });
  return found;
}

function reachOf(node: Node): Omit<Reach, "line"> | undefined {
  switch (node.type) {
    case "ImportDeclaration":
      return importsEnv(node) ? { kind: "process.env" } : importFrom(node["source"]);
    case "ExportNamedDeclaration":
    case "ExportAllDeclaration":
    case "TSImportType":
      return node["source"] ? importFrom(node["source"]) : undefined;
    case "ImportExpression":
      return importFrom(node["source"]) ?? { kind: "computed import" };
    case "TSExternalModuleReference":
      return importFrom(node["expression"]);
    case "MemberExpression":
      return isProcess(node["object"]) && isNamed(node["property"], "env") ? { kind: "process.env" } : undefined;
    case "VariableDeclarator":
      return isProcess(node["init"]) && takes(node["id"], "env") ? { kind: "process.env" } : undefined;
    case "CallExpression":
      return callOf(node);
    default:
      return undefined;
  }
}

function callOf(node: Node): Omit<Reach, "line"> | undefined {
  const callee = node["callee"];
  if (!isNode(callee)) return undefined;
  if (isNamed(callee, "require")) {
    const [first] = node["arguments"] as unknown[];
    return importFrom(first) ?? { kind: "computed import" };
  }
  return callee.type === "MemberExpression" && isNamed(callee["property"], "listen") ? { kind: "listen" } : undefined;
}

function importFrom(source: unknown): Omit<Reach, "line"> | undefined {
  if (!isNode(source)) return undefined;
  if (source.type === "TSLiteralType") return importFrom(source["literal"]);
  return typeof source["value"] === "string" ? { kind: "import", from: source["value"] } : undefined;
}

const importsEnv = (node: Node) =>
  /^(node:)?process$/.test(String(importFrom(node["source"])?.from)) &&
  (node["specifiers"] as Node[]).some((specifier) => isNamed(specifier["imported"], "env"));

/** `process`, `globalThis.process` */
const isProcess = (value: unknown): boolean =>
  isNamed(value, "process") ||
  (isNode(value) && value.type === "MemberExpression" && isNamed(value["property"], "process"));

const takes = (pattern: unknown, name: string) =>
  isNode(pattern) &&
  pattern.type === "ObjectPattern" &&
  (pattern["properties"] as Node[]).some((property) => isNamed(property["key"], name));

/** An identifier, or a string that stands for one. */
const isNamed = (value: unknown, name: string) =>
  isNode(value) && ((value.type === "Identifier" && value["name"] === name) || value["value"] === name);

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && typeof (value as Node).type === "string";

function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const each of value) walk(each, visit);
  } else if (isNode(value)) {
    visit(value);
    for (const key in value) walk(value[key], visit);
  }
}
