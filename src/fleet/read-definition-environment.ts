type Environment = Readonly<Record<string, string | undefined>>;

/** What a process needs to work at all: the SDK's list, and what locales and temporary files need. Upper case. */
const NEEDED = new Set([
  ...["HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ"],
  ...["APPDATA", "COMSPEC", "HOMEDRIVE", "HOMEPATH", "LOCALAPPDATA", "PATHEXT", "PROCESSOR_ARCHITECTURE", "PROGRAMDATA", "PROGRAMFILES", "SYSTEMDRIVE", "SYSTEMROOT", "TEMP", "TMP", "USERNAME", "USERPROFILE", "WINDIR"],
]); // prettier-ignore
const OURS = /^(DYNAMIC_)?MCP_/i;

/**
 * The part of our environment that a server's process gets: all but our own variables, which hold our secrets; or, with
 * `inheritEnv: false`, only what no program can do without.
 */
export function inheritable(env: Environment, all: boolean): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || OURS.test(name)) continue;
    if (all || (NEEDED.has(name.toUpperCase()) && !value.startsWith("()"))) kept[name] = value;
  }
  return kept;
}

/** On Windows `Path` and `PATH` are one variable; the definition's own wins. */
export function joined(
  inherited: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
  platform: NodeJS.Platform,
): Record<string, string> {
  if (platform !== "win32") return { ...inherited, ...own };
  const names = new Set(Object.keys(own).map((name) => name.toUpperCase()));
  const others = Object.entries(inherited).filter(([name]) => !names.has(name.toUpperCase()));
  return { ...Object.fromEntries(others), ...own };
}
