/*
 * Ajv is CommonJS: its names can only be imported statically once it is bundled. Import this file when the first schema
 * comes.
 */
export { Ajv } from "ajv";
export { Ajv2020 } from "ajv/dist/2020.js";
export { default as formats } from "ajv-formats";
