import { isJsonObject, type Json } from "../../core/json.ts";
import type { Budget } from "../budget.ts";
import type { Operator } from "./syntax.ts";

type Maybe = Json | undefined;

/** Compares as RFC 9535, section 2.3.5.2.2; undefined stands for nothing. */
export function compare(operator: Operator, left: Maybe, right: Maybe, budget: Budget): boolean {
  switch (operator) {
    case "==":
      return isEqual(left, right, budget);
    case "!=":
      return !isEqual(left, right, budget);
    case "<":
      return isLess(left, right);
    case ">":
      return isLess(right, left);
    case "<=":
      return isLess(left, right) || isEqual(left, right, budget);
    case ">=":
      return isLess(right, left) || isEqual(left, right, budget);
  }
}

function isLess(left: Maybe, right: Maybe): boolean {
  if (typeof left === "number" && typeof right === "number") return left < right;
  return typeof left === "string" && typeof right === "string" && left < right;
}

function isEqual(left: Maybe, right: Maybe, budget: Budget): boolean {
  budget.step();
  if (left === right) return true;
  if (Array.isArray(left) && Array.isArray(right)) {
    const [a, b] = [left, right];
    return a.length === b.length && budget.deeper(() => a.every((each, at) => isEqual(each, b[at], budget)));
  }
  if (left === undefined || right === undefined || !isJsonObject(left) || !isJsonObject(right)) return false;
  const [a, b] = [left, right];
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return budget.deeper(() => keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key], budget)));
}
