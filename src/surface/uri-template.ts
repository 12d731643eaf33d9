/**
 * Reads the variables of a URI that was made from a template.
 *
 * @param template RFC 6570 level 1 (`{name}`), and `{+name}` of level 2, which may span slashes
 * @returns a function that gives the decoded variables, or undefined when the URI does not fit
 * @see RFC 6570, sections 1.2 and 3.2.2
 */
export function parseTemplate(template: string): (uri: string) => Record<string, string> | undefined {
  const names: string[] = [];
  const pattern = template
    .split(/(\{[^{}]*\})/)
    .map((part) => {
      const variable = /^\{(\+?)([A-Za-z0-9_.%]+)\}$/.exec(part);
      if (!variable) return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      names.push(variable[2] ?? "");
      return variable[1] ? "(.+)" : "([^/?#]+)";
    })
    .join("");
  const matcher = new RegExp(`^${pattern}$`);
  return (uri) => {
    const match = matcher.exec(uri);
    if (!match) return undefined;
    try {
      return Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(match[at + 1] ?? "")]));
    } catch {
      return undefined; // not percent-encoding: no URI of this template
    }
  };
}
