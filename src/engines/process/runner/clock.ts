/**
 * The guest's clock: it starts at the job's start time and goes with real time, in `Date` and in `performance`.
 */
const NativeDate = Date;
const { construct } = Reflect;
const { defineProperty, defineProperties, getOwnPropertyDescriptors } = Object;

/** Milliseconds of the real clock, which only goes forward. */
const now: () => number = performance.now.bind(performance);

export function installClock(startedAtMs: number): void {
  const startedAt = now();
  const time = () => Math.floor(startedAtMs + now() - startedAt);

  function GuestDate(this: unknown, ...args: unknown[]): unknown {
    if (new.target === undefined) return new NativeDate(time()).toString();
    return construct(NativeDate, args.length === 0 ? [time()] : args, new.target);
  }
  const { prototype, now: nativeNow, ...others } = getOwnPropertyDescriptors(NativeDate);
  defineProperties(GuestDate, { ...others, prototype, now: { ...nativeNow, value: () => time() } });
  defineProperty(NativeDate.prototype, "constructor", { value: GuestDate, configurable: true, writable: true });
  defineProperty(globalThis, "Date", { value: GuestDate, configurable: true, writable: true });
  defineProperty(performance, "now", { value: () => now() - startedAt, configurable: true, writable: true });
  defineProperty(performance, "timeOrigin", { value: startedAtMs, configurable: true });
}
