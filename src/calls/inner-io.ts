import type { CallIo } from "../core/source.ts";

/**
 * What a call within a call gets: the client is its parent's client. Keys of questions carry the number of the inner
 * call, so that two of them never mix up their answers when everything runs again. Progress is the parent's own.
 */
export function innerIo(parent: CallIo, child: number): CallIo {
  return {
    can: parent.can,
    async ask(asks) {
      const prefix = `${child}/`;
      const prefixed = Object.fromEntries(Object.entries(asks).map(([key, ask]) => [prefix + key, ask]));
      const answers = await parent.ask(prefixed);
      return Object.fromEntries(Object.entries(answers).map(([key, answer]) => [key.slice(prefix.length), answer]));
    },
    progress() {},
    log: (level, data, logger) => parent.log(level, data, logger),
  };
}
