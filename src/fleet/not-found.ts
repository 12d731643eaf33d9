import { DynamicMcpError } from "../core/errors.ts";
import { nearest } from "../core/names.ts";

const MAX_NAME_CHARS = 80;

/**
 * The refusal of a name that no server has, with the nearest that one has.
 *
 * @param names of the servers that there are
 * @param more what they are called here, and what to do where no name is alike
 */
export function serverNotFound(
  name: string,
  names: Iterable<string>,
  { what = "server", otherwise }: { what?: "server" | "group"; otherwise?: string } = {},
): DynamicMcpError {
  const similar = nearest(name, names);
  const hint = similar === undefined ? otherwise : `did you mean ${JSON.stringify(similar)}?`;
  const shown = name.length > MAX_NAME_CHARS ? `${name.slice(0, MAX_NAME_CHARS - 3)}...` : name;
  return new DynamicMcpError(
    "SERVER_NOT_FOUND",
    `there is no ${what} ${JSON.stringify(shown)}${hint === undefined ? "" : `; ${hint}`}`,
    { data: { [what]: name.slice(0, 200) } },
  );
}
