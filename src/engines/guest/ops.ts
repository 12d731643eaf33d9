/** Operations of the bridge, known on both sides of it. */
export const OP = {
  log: 0,
  call: 1,
  timer: 2,
  clear: 3,
  url: 4,
  queryParse: 5,
  queryFormat: 6,
  encode: 7,
  decode: 8,
  random: 9,
} as const;
