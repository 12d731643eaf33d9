/** The few members that we use of packages that come without types. */

declare module "semver" {
  /** @returns null when it is not a range */
  export function validRange(range: string): string | null;
  export function valid(version: string): string | null;
  export function satisfies(version: string, range: string, options?: { includePrerelease?: boolean }): boolean;
  const semver: { validRange: typeof validRange };
  export default semver;
}

declare module "ini" {
  const ini: { parse(text: string): Record<string, unknown> };
  export default ini;
}

declare module "npm-registry-fetch/lib/default-opts.js" {
  const options: { readonly registry: string };
  export default options;
}

declare module "@npmcli/arborist" {
  export interface Edge {
    from: Node | null;
    spec: string;
    error: string | null;
    type: string;
  }
  export interface Node {
    isRoot: boolean;
    isLink: boolean;
    optional: boolean;
    dev: boolean;
    extraneous: boolean;
    inert: boolean;
    /** `node_modules/a/node_modules/b` */
    location: string;
    packageName: string;
    version: string;
    edgesIn: Set<Edge>;
  }
  export default class Arborist {
    constructor(options: Readonly<Record<string, unknown>>);
    buildIdealTree(options: { add: readonly string[] }): Promise<{ inventory: Map<string, Node> }>;
  }
}
