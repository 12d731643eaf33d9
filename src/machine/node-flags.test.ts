import { describe, expect, it } from "vitest";
import { maxSemiSpaceMiB, OWN_PERMISSION_FLAG, permissionFlag } from "./node-flags.ts";

describe("the flag for Node's permissions", () => {
  it.each([
    ["19.9.0", undefined],
    ["20.0.0", "--experimental-permission"],
    ["22.12.0", "--experimental-permission"],
    ["22.13.0", "--permission"],
    ["23.4.0", "--experimental-permission"],
    ["23.5.0", "--permission"],
    ["26.0.0", "--permission"],
    ["no version", undefined],
  ])("of %s is %s", (version, flag) => {
    expect(permissionFlag(version)).toBe(flag);
  });

  it("is one that this Node knows", () => {
    expect(process.allowedNodeEnvironmentFlags.has(OWN_PERMISSION_FLAG)).toBe(true);
  });
});

it.each([
  [1, 1],
  [32, 1],
  [64, 2],
  [512, 16],
  [4_096, 16],
])("for a heap of %i MiB the semi-space is %i MiB", (memoryMiB, expected) => {
  expect(maxSemiSpaceMiB(memoryMiB)).toBe(expected);
});
