/**
 * Makes a value when it is first asked for, and only then: schemas that nobody uses cost no start-up time. A promise
 * that fails is not kept: who asks next tries again.
 */
export function once<A extends unknown[], T>(make: (...args: A) => T): (...args: A) => T {
  let made: { value: T } | undefined;
  return (...args) => {
    if (made) return made.value;
    const value = make(...args);
    made = { value };
    if (value instanceof Promise) value.catch(() => (made = undefined));
    return value;
  };
}
