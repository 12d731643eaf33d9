/** What stands around an author's body, on every engine. Strict, as modules are. */
export const BEFORE = '(async function run(args) {"use strict";\n';
export const AFTER = "\n})";
/** Lines before the author's first. */
export const WRAPPER_LINES = 1;
