/** Makes a value when it is first asked for: schemas that nobody uses cost no start-up time. */
export function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
