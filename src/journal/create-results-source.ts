import { DynamicMcpError, hasCode } from "../core/errors.ts";
import type { Source } from "../core/source.ts";
import type { Results } from "./results.ts";
import { handleOfUri } from "./results-uri.ts";

/** The same each time, so that what is made of it is made once. */
const NONE: readonly never[] = [];

/** Kept results as resources `dynamic-mcp://results/<handle>`: whoever was told one can read it, and no list shows it. */
export function createResultsSource(results: Pick<Results, "text">): Source {
  return {
    name: "results",
    items: () => NONE,
    claims: (uri) => handleOfUri(uri),
    async run(target, { caller }) {
      if (target.kind !== "resource") throw new Error("kept results are resources only");
      try {
        return { contents: [{ uri: target.uri, ...(await results.text(caller, target.id)) }] };
      } catch (error) {
        if (!hasCode(error, "RESULT_NOT_FOUND")) throw error;
        throw new DynamicMcpError("RESOURCE_NOT_FOUND", error.message, { data: { uri: target.uri }, cause: error });
      }
    },
    onChange: () => () => {},
  };
}
