import { SECRET_NAME, type SecretProvider } from "./credentials.ts";

/** @param entries by name: the variable `MCP_SECRET_TOKEN` is `TOKEN` here */
export function createEnvironmentSecrets(entries: Readonly<Record<string, string>>): SecretProvider {
  const known = new Map(Object.entries(entries).filter(([name]) => SECRET_NAME.test(name)));
  return {
    name: "environment",
    get: async (name) => known.get(name),
    names: async () => [...known.keys()].map((name) => ({ name })),
  };
}
