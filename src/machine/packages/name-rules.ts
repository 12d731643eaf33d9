import { DynamicMcpError } from "../../core/errors.ts";
import { matchesPattern } from "../../core/pattern.ts";

/** Which package names the operator lets in. */
export interface NameRules {
  /**
   * @param via who asked for it, when that is not the tool itself
   * @throws PACKAGE_NOT_ALLOWED with `data.package`
   */
  check(name: string, via?: string): void;
}

/**
 * @param allowed names or patterns in which `*` stands for any characters but `/`; empty: all
 * @param blocked the same; wins
 */
export function createNameRules(allowed: readonly string[], blocked: readonly string[]): NameRules {
  const [isAllowed, isBlocked] = [matcher(allowed), matcher(blocked)];
  return {
    check(name, via) {
      const why = isBlocked(name)
        ? "is blocked on this server"
        : allowed.length > 0 && !isAllowed(name)
          ? "is not among the packages that this server allows"
          : undefined;
      if (why === undefined) return;
      const how = via === undefined ? "" : `, and ${via} depends on it`;
      throw new DynamicMcpError("PACKAGE_NOT_ALLOWED", `the package ${name} ${why}${how}; its operator decides that`, {
        data: { package: name, ...(via === undefined ? {} : { via }) },
      });
    },
  };
}

function matcher(patterns: readonly string[]): (name: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes("*")));
  const globs = patterns.filter((pattern) => pattern.includes("*"));
  return (name) => exact.has(name) || globs.some((glob) => fits(glob, name));
}

/** A lone `*` is everything, scoped names too. */
function fits(glob: string, name: string): boolean {
  if (glob === "*") return true;
  const [globParts, nameParts] = [glob.split("/"), name.split("/")];
  return (
    globParts.length === nameParts.length && globParts.every((part, at) => matchesPattern(part, nameParts[at] ?? ""))
  );
}
