declare const __VERSION__: string | undefined;

/** Of this program: package.json's, put in when `dist` is built. From source it is not a release. */
export const VERSION: string = typeof __VERSION__ === "undefined" ? "0.0.0-source" : __VERSION__;
