/**
 * What we use of zod, by name, so that the bundle carries no more than that. Import it with `import("./zod.ts")`, or as
 * a type: schemas are functions of it, so that a start which checks nothing does not load it.
 */
export {
  array,
  boolean,
  custom,
  enum,
  int,
  looseObject,
  number,
  object,
  strictObject,
  string,
  toJSONSchema,
  url,
} from "zod";
