import { spawn, type ChildProcess } from "node:child_process";

/*
 * Ends what we started when we cannot: after kill -9 of ourselves. The kernel ends our own children then where it can
 * (see `die-with-us.ts`), but not what they started, such as the program behind `npx`. So one tiny shell stands by while
 * there is anything to end: it reads the numbers of process groups from a pipe, and when the pipe ends, and it has not been
 * told that they are gone, it kills them. It leads a session of its own and ignores what a terminal sends.
 *
 * Not on Windows. A program that makes a group of its own is out of reach until somebody has seen it (`process-tree.ts`).
 */
// `kill -s`, for dash takes no `--` after another way to name the signal.
const SCRIPT = `trap '' INT TERM HUP QUIT PIPE
groups=' '
while read -r op id; do
  case $op in
    add) groups="$groups$id " ;;
    gone) case $groups in *" $id "*) groups="\${groups%%" $id "*} \${groups#*" $id "}" ;; esac ;;
  esac
done
for id in $groups; do kill -s KILL -- "-$id" 2>/dev/null; done`;

let shell: ChildProcess | undefined;
const guarded = new Set<number>();

/** @returns takes the group off again: it is gone */
export function guardGroup(id: number): () => void {
  if (process.platform === "win32") return () => {};
  guarded.add(id);
  if (shell) tell("add", id);
  else start();
  return () => {
    if (!guarded.delete(id)) return;
    tell("gone", id);
    if (guarded.size > 0) return;
    shell?.stdin?.end();
    shell = undefined;
  };
}

function start(): void {
  const started = spawn("/bin/sh", ["-c", SCRIPT], { stdio: ["pipe", "ignore", "ignore"], env: {}, detached: true });
  shell = started;
  const gone = () => {
    if (shell === started) shell = undefined;
  };
  started.on("error", gone);
  started.on("exit", gone);
  started.stdin.on("error", gone);
  started.unref();
  (started.stdin as unknown as { unref?(): void }).unref?.();
  for (const id of guarded) tell("add", id);
}

function tell(op: "add" | "gone", id: number): void {
  shell?.stdin?.write(`${op} ${id}\n`);
}
