import { existsSync } from "node:fs";

const SETPRIV = ["/usr/bin/setpriv", "/bin/setpriv"];

/**
 * How to start a command so that the kernel ends it when we end, however we do. Linux with util-linux; elsewhere the
 * command itself: then it is up to the program to notice that its channel closed.
 */
export function dyingWithUs(command: string, args: readonly string[]): { command: string; args: string[] } {
  const setpriv = process.platform === "linux" ? SETPRIV.find((file) => existsSync(file)) : undefined;
  if (setpriv === undefined) return { command, args: [...args] };
  return { command: setpriv, args: ["--pdeathsig", "KILL", "--", command, ...args] };
}
