/** Whose fault it is decides how loudly we report, whether a retry can help, and the exit code of the CLI. */
export type Fault = "caller" | "operator" | "us";

export interface ErrorSpec {
  fault: Fault;
  /** Status over REST. Over MCP the protocol's own statuses and numbers hold. */
  http: number;
  /** Exit code of the CLI. */
  exit: number;
  /** The same request may succeed later, unchanged. */
  retryable: boolean;
  /** One sentence for the reference page. */
  summary: string;
}

/** Every refusal we make on purpose. The code is the contract; messages may change. */
export const ERRORS = {
  INVALID_ARGUMENTS:   { fault: "caller", http: 400, exit: 2, retryable: false, summary: "The arguments do not fit the schema of the tool, prompt or operation." },
  INVALID_REQUEST:     { fault: "caller", http: 400, exit: 2, retryable: false, summary: "The request is malformed or names an unknown method." },
  INVALID_CURSOR:      { fault: "caller", http: 400, exit: 2, retryable: false, summary: "The paging cursor was not made by this server; start again without one." },
  INVALID_NAME:        { fault: "caller", http: 400, exit: 2, retryable: false, summary: "A tool name has characters or a length that clients refuse." },
  INVALID_SCHEMA:      { fault: "caller", http: 400, exit: 2, retryable: false, summary: "An input or output schema is not usable JSON Schema 2020-12." },
  INVALID_CODE:        { fault: "caller", http: 400, exit: 2, retryable: false, summary: "The code of a tool does not compile; line and column are in the data." },
  EXAMPLE_FAILED:      { fault: "caller", http: 422, exit: 1, retryable: false, summary: "An example of a tool did not run or gave another result, so nothing was stored." },
  NAME_RESERVED:       { fault: "caller", http: 409, exit: 1, retryable: false, summary: "The name belongs to a built-in tool." },
  NAME_TAKEN:          { fault: "caller", http: 409, exit: 1, retryable: false, summary: "Another item has this name, or one that clients would see as the same." },
  TOOL_NOT_FOUND:      { fault: "caller", http: 404, exit: 1, retryable: false, summary: "There is no such tool for this caller." },
  PROMPT_NOT_FOUND:    { fault: "caller", http: 404, exit: 1, retryable: false, summary: "There is no such prompt for this caller." },
  RESOURCE_NOT_FOUND:  { fault: "caller", http: 404, exit: 1, retryable: false, summary: "There is no such resource for this caller." },
  REVISION_NOT_FOUND:  { fault: "caller", http: 404, exit: 1, retryable: false, summary: "The tool has no such revision." },
  REVISION_CONFLICT:   { fault: "caller", http: 409, exit: 1, retryable: true, summary: "Somebody else wrote first; read the current revision and try again." },
  TOOL_LIMIT:          { fault: "caller", http: 409, exit: 1, retryable: false, summary: "The store already holds the maximum number of tools." },
  READ_ONLY:           { fault: "operator", http: 403, exit: 3, retryable: false, summary: "The operator allows no changes." },
  UNAUTHENTICATED:     { fault: "caller", http: 401, exit: 3, retryable: false, summary: "A credential is missing or not valid." },
  FORBIDDEN:           { fault: "caller", http: 403, exit: 3, retryable: false, summary: "The caller is known but may not do this." },
  CHANNEL_NOT_FOUND:   { fault: "caller", http: 404, exit: 1, retryable: true, summary: "The MCP session is unknown or has expired; initialize again." },
  TOO_MANY_CHANNELS:   { fault: "operator", http: 503, exit: 5, retryable: true, summary: "The server holds the maximum number of MCP sessions." },
  RATE_LIMITED:        { fault: "caller", http: 429, exit: 5, retryable: true, summary: "Too many calls in the current window; the data says when to come back." },
  OVERLOADED:          { fault: "operator", http: 503, exit: 5, retryable: true, summary: "Too many calls are running at once." },
  TOO_DEEP:            { fault: "caller", http: 400, exit: 1, retryable: false, summary: "Calls within calls are nested too deeply." },
  TOO_LARGE:           { fault: "caller", http: 413, exit: 1, retryable: false, summary: "A request, argument or result is larger than the limit." },
  TIMEOUT:             { fault: "caller", http: 504, exit: 1, retryable: true, summary: "The run was stopped at its time limit." },
  OUT_OF_MEMORY:       { fault: "caller", http: 507, exit: 1, retryable: false, summary: "The run was stopped at its memory limit." },
  NEVER_SETTLES:       { fault: "caller", http: 500, exit: 1, retryable: false, summary: "The code waits for a promise that nothing can settle." },
  RESULT_NOT_JSON:     { fault: "caller", http: 500, exit: 1, retryable: false, summary: "The code returned something that is not JSON, such as a BigInt, a function or a cycle." },
  INVALID_RESULT:      { fault: "caller", http: 500, exit: 1, retryable: false, summary: "What the tool returned does not fit its output schema." },
  CODE_THREW:          { fault: "caller", http: 500, exit: 1, retryable: false, summary: "The code of the tool threw an error." },
  PROCESS_EXITED:      { fault: "caller", http: 500, exit: 1, retryable: false, summary: "The code ended its own process before it returned a result." },
  PACKAGE_NOT_ALLOWED: { fault: "caller", http: 403, exit: 3, retryable: false, summary: "An npm package is written in a form, or has a name, that this server does not take." },
  PACKAGE_NOT_FOUND:   { fault: "caller", http: 404, exit: 1, retryable: false, summary: "The registry has no such npm package, or no version in the range." },
  PACKAGE_INTEGRITY:   { fault: "operator", http: 502, exit: 4, retryable: false, summary: "What the registry sent for an npm package is not what was locked." },
  PACKAGE_TOO_LARGE:   { fault: "caller", http: 413, exit: 1, retryable: false, summary: "npm packages are together larger, or more files, than the limit." },
  PACKAGE_NATIVE:      { fault: "caller", http: 422, exit: 1, retryable: false, summary: "An npm package needs native code, which sandboxes do not load." },
  REGISTRY_UNAVAILABLE: { fault: "operator", http: 502, exit: 4, retryable: true, summary: "The npm registry could not be reached or did not answer as one." },
  IMAGE_NOT_ALLOWED:   { fault: "caller", http: 403, exit: 3, retryable: false, summary: "The container image is not one that the operator allows." },
  IMAGE_NOT_FOUND:     { fault: "caller", http: 404, exit: 1, retryable: false, summary: "The container image is not on the machine and could not be pulled." },
  IMAGE_UNUSABLE:      { fault: "caller", http: 422, exit: 1, retryable: false, summary: "The container image lacks what this needs, such as a shell or Node." },
  SHELL_NOT_FOUND:     { fault: "caller", http: 404, exit: 1, retryable: false, summary: "There is no such shell for this caller; it may have expired." },
  SHELL_LIMIT:         { fault: "caller", http: 409, exit: 5, retryable: true, summary: "There are as many shells as the limit allows; stop one first." },
  FETCH_REFUSED:       { fault: "caller", http: 403, exit: 3, retryable: false, summary: "The code may not reach this address." },
  FETCH_FAILED:        { fault: "caller", http: 502, exit: 1, retryable: true, summary: "The address could not be reached or did not answer in time." },
  SECRET_REFUSED:      { fault: "operator", http: 403, exit: 3, retryable: false, summary: "The code may not read this secret, or nobody has set it." },
  CREDENTIALS_SEALED:  { fault: "operator", http: 500, exit: 4, retryable: false, summary: "Stored secrets cannot be opened with the key of this server." },
  SERVER_NOT_FOUND:    { fault: "caller", http: 404, exit: 1, retryable: false, summary: "There is no such server, or group of tools, for this caller." },
  SERVER_DISABLED:     { fault: "operator", http: 409, exit: 1, retryable: false, summary: "The server is switched off, or its definition cannot be used; the message says why." },
  SERVER_READ_ONLY:    { fault: "caller", http: 409, exit: 1, retryable: false, summary: "The server is defined in a configuration file, which has to be changed instead." },
  SERVER_LIMIT:        { fault: "caller", http: 409, exit: 1, retryable: false, summary: "There are as many servers as the limit allows." },
  UPSTREAM_UNAVAILABLE: { fault: "operator", http: 502, exit: 1, retryable: true, summary: "Another server could not be reached, or went away before it answered." },
  UPSTREAM_ERROR:      { fault: "caller", http: 502, exit: 1, retryable: false, summary: "Another server answered with an error of its own." },
  UPSTREAM_INVALID:    { fault: "operator", http: 502, exit: 1, retryable: false, summary: "Another server answered with what the protocol does not allow." },
  UPSTREAM_LOGIN:      { fault: "operator", http: 502, exit: 3, retryable: false, summary: "Another server asks for credentials, or refuses those it got." },
  RESULT_NOT_FOUND:    { fault: "caller", http: 404, exit: 1, retryable: false, summary: "There is no such kept result for this caller; it may have expired." },
  CANCELLED:           { fault: "caller", http: 499, exit: 130, retryable: true, summary: "The client cancelled the call or went away." },
  PARENT_ENDED:        { fault: "caller", http: 499, exit: 1, retryable: true, summary: "The call that made this call has ended." },
  SHUTTING_DOWN:       { fault: "operator", http: 503, exit: 5, retryable: true, summary: "The server is stopping." },
  ENGINE_UNAVAILABLE:  { fault: "operator", http: 503, exit: 4, retryable: true, summary: "No engine that can run this code is available; the message says what to install." },
  ENGINE_CRASHED:      { fault: "us", http: 500, exit: 70, retryable: true, summary: "The sandbox ended without an answer; it was replaced." },
  CAPABILITY_MISSING:  { fault: "caller", http: 400, exit: 1, retryable: false, summary: "The tool needs something that this client did not declare, such as elicitation." },
  STORE_UNAVAILABLE:   { fault: "operator", http: 503, exit: 4, retryable: true, summary: "The store could not be read or written; nothing was changed." },
  STORE_DAMAGED:       { fault: "operator", http: 500, exit: 4, retryable: false, summary: "A stored row cannot be read; it is quarantined with its reason." },
  CONFIG_INVALID:      { fault: "operator", http: 500, exit: 2, retryable: false, summary: "A setting is unknown or has a value outside its bounds." },
  PACK_FAILED:         { fault: "operator", http: 500, exit: 4, retryable: false, summary: "A pack could not be loaded or opened." },
  ADDRESS_IN_USE:      { fault: "operator", http: 500, exit: 4, retryable: true, summary: "The port is taken; choose another with --port." },
  INTERNAL:            { fault: "us", http: 500, exit: 70, retryable: false, summary: "A fault of ours; the incident id finds it in the log." },
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorDetails {
  /** Facts a program may read; never a secret. */
  data?: Record<string, unknown>;
  cause?: unknown;
}

/**
 * A refusal that we made on purpose.
 *
 * The message says what happened, with which value, and what to do next. Foreign errors become one of these where they
 * enter (a driver's folder) and are mapped to the wire where they leave (`server/`, `cli/`).
 */
export class DynamicMcpError extends Error {
  override readonly name = "DynamicMcpError";
  readonly code: ErrorCode;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.data = details.data ?? {};
  }

  get spec(): ErrorSpec {
    return ERRORS[this.code];
  }
}

export function hasCode<C extends ErrorCode>(error: unknown, ...codes: C[]): error is DynamicMcpError & { code: C } {
  return error instanceof DynamicMcpError && (codes as string[]).includes(error.code);
}
