/** The few members that we use of packages whose own types ask for more than we have. */
declare module "eslint-scope" {
  export interface Identifier {
    name: string;
    start: number;
    end: number;
  }
  export interface Reference {
    identifier: Identifier;
  }
  export interface Variable {
    name: string;
    references: Reference[];
  }
  export interface Scope {
    type: string;
    set: Map<string, Variable>;
    variables: Variable[];
    /** References that no scope inside has a variable for. */
    through: Reference[];
    childScopes: Scope[];
  }
  export function analyze(
    ast: object,
    options: { ecmaVersion: number; sourceType: "script" | "module" | "commonjs"; fallback?: "iteration" },
  ): { scopes: Scope[]; globalScope: Scope };
}
