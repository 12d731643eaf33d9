/** Of a number of bytes that a setting in MiB gives. */
const MIB = 1024 * 1024;

/** What an author reads when a limit is met: which it is, and what the operator would change. */
export const byteLimit = (maxBytes: number): string =>
  `at most ${maxBytes % MIB === 0 ? `${maxBytes / MIB} MiB` : `${maxBytes} bytes`} unpacked are taken (MCP_PACKAGES_MAX_MIB)`;

export const fileLimit = (maxFiles: number): string => `at most ${maxFiles} files are taken (MCP_PACKAGES_MAX_FILES)`;
