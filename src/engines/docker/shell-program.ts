/**
 * What runs inside of a shell's container, in the image's own `sh` and with nothing but what is built into it.
 *
 * The first process starts the agent, reaps whatever has lost its parent, and starts the agent anew when a command has
 * killed it; being the first of its process namespace, it cannot be killed from inside. The agent reads one line at a
 * time and answers in marks, see `shell-marks.ts`:
 *
 *     run ID READ WRITE COMMAND     starts a command in a shell of its own; ends with the mark `end ID ...`
 *     kill ID                       kills all that has been started since, again and again; the mark `killed ID LEFT`
 *
 * So one command costs two messages on a stream that is open already, where the daemon would need several requests and
 * a new entry into all namespaces. Folder and exported variables are carried over in one of two small files, by turns: a
 * command that dies while it writes leaves the other one whole.
 */

export const WORKING_FOLDER = "/workspace";
/** Where folder and variables are kept between commands. */
export const STATE_FOLDER = "/run/dynamic-mcp";
/** In the environment of all that a command starts: how it is found when the command has to die. */
const MARKER = "DYNAMIC_MCP_COMMAND";

/** `$1` id, `$2` state to begin with or `-`, `$3` state to write, `$4` the command line. */
const COMMAND = `
[ "$2" = - ] || . ${STATE_FOLDER}/"$2"
export ${MARKER}="$1"
old=\${OLDPWD-}; cd -- "$PWD" 2>/dev/null || cd ${WORKING_FOLDER}; OLDPWD=$old; unset old
trap "{ export PWD OLDPWD; export -p >${STATE_FOLDER}/$3 && printf '%s %s\\\\n' $1 \\"\\$PWD\\" >${STATE_FOLDER}/$3.end; } 2>/dev/null" EXIT
set -- "$4"
eval "shift; $1"
`;

/**
 * `$1` is the text above.
 *
 * Killing: what was there before the command is spared, and what bears the mark of an earlier command, which may have left
 * a server in the background; all else is of this command, also what has got rid of its mark. Stopped first, so that
 * nothing is started while the rest is killed. There is nothing to sleep with: whoever asked for it counts the time, and
 * ends the container when it takes too long. Then the dead are given time to be taken away, since they count as processes
 * and a shell that cannot start another one gives up.
 */
const FIRST = `
command=$1
exec 3<&0 </dev/null
IFS= read -r nonce <&3 || exit 0
say() { printf '\\036%s %s\\n' "$nonce" "$*"; printf '\\036%s %s\\n' "$nonce" "$*" >&2; }
kills() {
  for file in /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/memory.events; do
    [ -r $file ] && while read -r name value; do [ "$name" = oom_kill ] && oom=$value; done <$file
  done
}
run() {
  oom=0 kept= folder=
  ${MARKER}=$1 /bin/sh -c "$command" sh "$1" "$2" "$3" "$(printf %b "$4")" 3<&- </dev/null
  code=$?
  [ $code -eq 137 ] && kills
  [ -r ${STATE_FOLDER}/$3.end ] && IFS=' ' read -r kept folder <${STATE_FOLDER}/$3.end
  [ "$kept" = $1 ] || folder=
  say end $1 $code $oom "$folder"
}
isOther() {
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in *${MARKER}=$2*) return 1 ;; *${MARKER}=*) return 0 ;; esac
  done <$1/environ
  return 1
}
isDead() {
  IFS= read -r line <$1/stat || return 0
  case \${line##*)} in " Z"*|" X"*) return 0 ;; esac
  return 1
}
slay() {
  round=0 left=1
  while [ $left -gt 0 ] && [ $round -lt 20000 ]; do
    list= left=0
    for process in /proc/[0-9]*; do
      case $keep in *" $process "*) continue ;; esac
      [ $round -gt 0 ] && isDead $process && continue
      [ $isBusy = yes ] && isOther $process $1 && continue
      list="$list \${process#/proc/}" left=$((left + 1))
    done
    [ $left -gt 0 ] && { kill -STOP $list; kill -KILL $list; }
    round=$((round + 1))
  done 2>/dev/null
  round=0
  while set -- /proc/[0-9]*; [ $# -gt $most ] && [ $round -lt 3000 ]; do
    round=$((round + 1))
  done
}
agent() {
  job= isBusy=no
  set -- /proc/[0-9]*
  keep=" $* " most=$(($# + 16))
  say ready
  while IFS=' ' read -r verb id from to text <&3; do
    case $verb in
      run)
        [ -n "$job" ] && wait $job 2>/dev/null
        set -- /proc/[0-9]*
        keep=" $* " most=$(($# + 16))
        [ $# -gt 2 ] && isBusy=yes || isBusy=no
        run "$id" "$from" "$to" "$text" &
        job=$! ;;
      kill)
        slay "$id"
        say killed "$id" $left ;;
    esac
  done
  exit 0
}
while :; do
  agent &
  wait $! 2>/dev/null
  code=$?
  [ $code -eq 0 ] && exit
done
`;

export const SHELL_COMMAND: readonly string[] = ["/bin/sh", "-c", FIRST, "sh", COMMAND];

/** Largest command line, in bytes: the kernel takes 128 KiB in one argument. */
export const MAX_COMMAND_BYTES = 100_000;

/** As `printf %b` reads it: one line of ASCII for any bytes. */
export function escapeBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += ESCAPED[byte];
  return text;
}

/** A command line for the agent: its `read` would take blanks away from the ends. */
export function escapeCommand(command: string): string {
  const text = escapeBytes(Buffer.from(command, "utf8"));
  return text.replace(/^ +| +$/g, (blanks) => "\\0040".repeat(blanks.length));
}

/** One word of a command line, whatever is in it. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

const ESCAPED: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  if (byte >= 0x20 && byte < 0x7f && char !== "\\") return char;
  return `\\0${byte.toString(8).padStart(3, "0")}`;
});
