const PREFIX = "dynamic-mcp://results/";
const HANDLE = /^[A-Za-z0-9_-]{22}$/;

export function isHandle(text: string): boolean {
  return HANDLE.test(text);
}

export function resultUri(handle: string): string {
  return PREFIX + handle;
}

/** @returns the handle that a URI names, or undefined when it is not of a kept result */
export function handleOfUri(uri: string): string | undefined {
  const handle = uri.startsWith(PREFIX) ? uri.slice(PREFIX.length) : "";
  return isHandle(handle) ? handle : undefined;
}
