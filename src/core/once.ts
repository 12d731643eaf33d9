/** Makes a value when it is first asked for, and only then: schemas that nobody uses cost no start-up time. */
export function once<A extends unknown[], T>(make: (...args: A) => T): (...args: A) => T {
  let made: { value: T } | undefined;
  return (...args) => (made ??= { value: make(...args) }).value;
}
