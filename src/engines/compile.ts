import { createHash } from "node:crypto";
import { DynamicMcpError } from "../core/errors.ts";
import type { Program } from "./engine.ts";
import { type Inspection, inspectSyntax } from "./syntax.ts";

export interface Source {
  /** The body of `async function run(args)`. */
  code: string;
  language: "js" | "ts";
  /** Shown in stack traces. */
  name: string;
}

export interface Compiled {
  program: Program;
  /**
   * What the code uses that only an engine with the Node API or packages has, as written: `process`, `import("zod")`.
   * Names that the code asks `typeof` about are left out: it knows how to do without.
   */
  needsNode: string[];
}

export interface LiteralImport {
  /** As written: `ms`, `dayjs/plugin/utc.js`, `node:fs`. */
  name: string;
  /** Where `import` begins in the program, from 0, in UTF-16 units. */
  at: number;
}

/** What stands before the author's first line and after the last. Strict, as modules are on every engine. */
const BEFORE = 'async function run(args) {"use strict";\n';
const AFTER = "\n}";

/**
 * Checks a body and makes plain JavaScript of it, every character where the author wrote it: types are blanked.
 * The parser is loaded when first used.
 *
 * @throws INVALID_CODE with `data.line` and `data.column` (both from 1) for what does not parse, closes the function
 *   early, imports or exports, or is TypeScript that cannot just be blanked (enum, namespace ...)
 */
export async function compile({ code, language, name }: Source): Promise<Compiled> {
  let js = code;
  if (language === "ts") {
    await parseBody(code, "ts");
    js = await blankTypes(code);
  }
  const { needsNode } = await parseBody(js, "js");
  return { program: { js, digest: createHash("sha256").update(js).digest("hex"), name }, needsNode };
}

/**
 * The `import("name")` of a body in plain JavaScript, in the order of the text.
 *
 * @throws INVALID_CODE as `compile`
 */
export async function literalImports(js: string): Promise<LiteralImport[]> {
  return (await parseBody(js, "js")).imports;
}

async function parseBody(code: string, language: Source["language"]): Promise<Omit<Inspection, "problem">> {
  const { parse } = await import("@babel/parser");
  let file;
  try {
    file = parse(BEFORE + code + AFTER, {
      // A script, because that is what the body is evaluated in; but there the parser takes the `export` inside of a
      // namespace for the mistake, and not the namespace.
      sourceType: language === "ts" ? "module" : "script",
      plugins: language === "ts" ? ["typescript"] : [],
      attachComment: false,
    });
  } catch (error) {
    throw syntaxError(code, error);
  }
  const [run, second] = file.program.body;
  if (second !== undefined && run?.loc) {
    const { line, column } = run.loc.end;
    throw invalid(code, "this brace closes the function too early: the code is its body, and one brace is too many", line, column - 1); // prettier-ignore
  }
  const { problem, needsNode, imports } = inspectSyntax(file.program);
  if (problem) throw invalid(code, problem.message, problem.line, problem.column);
  return { needsNode, imports: imports.map(({ name, at }) => ({ name, at: at - BEFORE.length })) };
}

/** What babel's errors have. Its reasons are codes; its messages are kept as text only. */
interface ParserError {
  message: string;
  reasonCode?: string;
  loc?: { line: number; column: number };
}

/** In words that help more than the parser's own. */
const REASONS: Readonly<Record<string, string>> = {
  UnexpectedImportExport:
    "import and export declarations do not work here: the code is the body of `async function run(args)`; " +
    "return the result, and load packages with `await import(name)` where the engine has them",
  ImportMetaOutsideModule: "import.meta does not work here: the code is a function body, not a module",
};

function syntaxError(code: string, error: unknown): DynamicMcpError {
  if (error instanceof RangeError) return invalid(code, "the code is nested too deeply to be read", 2, 0, error);
  const { message, reasonCode, loc } = error as ParserError;
  const text = REASONS[reasonCode ?? ""] ?? message.replace(/ \(\d+:\d+\)$/, "");
  if (reasonCode === "VarRedeclaration" && loc?.line === 1) {
    // The parser points at our parameter, not at the author's second one.
    const found = code.search(/(?<=\b(?:let|const|class|function)\s+)args\b/);
    const before = code.slice(0, Math.max(0, found)).split("\n");
    const why = "args is the function's parameter and is there already; use another name";
    return invalid(code, why, before.length + 1, before.at(-1)?.length ?? 0, error);
  }
  return invalid(code, text, loc?.line ?? 2, loc?.column ?? 0, error);
}

/** @param line of the wrapped source, from 1; @param column from 0, as babel counts */
function invalid(code: string, why: string, line: number, column: number, cause?: unknown): DynamicMcpError {
  const lines = code.split("\n");
  const isBeyond = line - 1 > lines.length;
  const at = isBeyond
    ? { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
    : { line: Math.max(1, line - 1), column: column + 1 };
  const text = isBeyond ? "the code ends too early: a bracket, brace or expression is not complete" : why;
  return new DynamicMcpError("INVALID_CODE", `${text.replace(/\.$/, "")} (line ${at.line}, column ${at.column})`, {
    data: at,
    cause,
  });
}

/**
 * Node's own type stripping, which leaves everything in its place. It still warns that it is experimental; what it does
 * to our input is pinned by tests, so the warning would only puzzle who reads our stderr.
 */
async function blankTypes(code: string): Promise<string> {
  const { stripTypeScriptTypes } = await import("node:module");
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    const stripped = stripTypeScriptTypes(BEFORE + code + AFTER);
    return stripped.slice(stripped.indexOf("\n") + 1, stripped.lastIndexOf("\n"));
  } catch (error) {
    // It parsed before, so this is syntax that the parser takes and the stripper does not.
    const why = error instanceof Error ? error.message : String(error);
    throw new DynamicMcpError("INVALID_CODE", `the types cannot be removed: ${why}`, { cause: error });
  } finally {
    process.emitWarning = emitWarning;
  }
}
