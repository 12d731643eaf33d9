/**
 * How tools reach a client's model.
 *
 * | value    | tools/list shows |
 * | -------- | ---------------- |
 * | `direct` | every tool |
 * | `search` | a fixed surface in their place: `tool_search`, `tool_describe`, `tool_call` |
 * | `groups` | two tools in their place: `get_dynamic_tools`, `call_dynamic_tool` |
 * | `code`   | `search` with a tool that runs programs over tools |
 * | `auto`   | `direct` while the list stays under a budget of tokens, else `search` |
 *
 * It decides what is listed and never what may be called.
 */
export const EXPOSURES = ["direct", "search", "groups", "code", "auto"] as const;
export type Exposure = (typeof EXPOSURES)[number];
