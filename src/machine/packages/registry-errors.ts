import { DynamicMcpError } from "../../core/errors.ts";

export function notFound(message: string, name: string): DynamicMcpError {
  return new DynamicMcpError("PACKAGE_NOT_FOUND", message, { data: { package: name } });
}

export function unavailable(url: URL, what: string, cause?: unknown): DynamicMcpError {
  return new DynamicMcpError("REGISTRY_UNAVAILABLE", `the npm registry at ${url.host} did not help: ${what}`, {
    data: { host: url.host },
    cause,
  });
}
