/** What settings need of zod, by name, so that the bundle carries no more than that. */
export { array, boolean, enum, int, number, string, url } from "zod";
