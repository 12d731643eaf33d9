import { describe, expect, it } from "vitest";
import { LOCAL } from "../core/caller.ts";
import { createAccess } from "./access.ts";

const caller = { principal: LOCAL };
const forbidden = expect.objectContaining({ code: "FORBIDDEN" });

describe("without an admin token", () => {
  const access = createAccess({});
  it("lets everybody author", () => {
    expect(() => access.assertMay(caller, "author")).not.toThrow();
    expect(access.requiresAdmin).toBe(false);
  });
  it("lets nobody operate but those who have proved to be the operator", () => {
    expect(() => access.assertMay(caller, "operate")).toThrow(forbidden);
    expect(() => access.assertMay(access.elevate(caller, { adminToken: "x" }).caller, "operate")).toThrow(forbidden);
    expect(() => access.assertMay({ principal: { ...LOCAL, isAdmin: true } }, "operate")).not.toThrow();
  });
  it("drops an adminToken argument that older clients still send", () => {
    expect(access.elevate(caller, { adminToken: "x", name: "n" })).toEqual({ caller, args: { name: "n" } });
  });
});

describe("with an admin token", () => {
  const access = createAccess({ adminToken: "s3cret" });
  it("refuses authoring without it, but not using [access-authoring]", () => {
    expect(() => access.assertMay(caller, "author")).toThrow(forbidden);
    expect(() => access.assertMay(caller, "operate")).toThrow(forbidden);
    expect(() => access.assertMay(caller, "use")).not.toThrow();
  });
  it("takes it as an argument and out of the arguments", () => {
    const elevated = access.elevate(caller, { adminToken: "s3cret", name: "n" });
    expect(elevated.args).toEqual({ name: "n" });
    expect(() => access.assertMay(elevated.caller, "author")).not.toThrow();
    expect(() => access.assertMay(elevated.caller, "operate")).not.toThrow();
    expect(elevated.caller.principal.id).toBe("local");
  });
  it.each(["s3cre", "s3cret ", "", 7, null, { $ne: "x" }])("refuses %j", (adminToken) => {
    expect(() => access.elevate(caller, { adminToken })).toThrow(forbidden);
  });
  it("knows the operator by the Authorization header, and nobody else", () => {
    expect(access.identify({ authorization: "bearer s3cret" })).toMatchObject({ id: "admin", isAdmin: true });
    for (const authorization of [undefined, "Bearer wrong", "Bearer", "s3cret", "Basic s3cret"]) {
      expect(access.identify({ authorization })).toBe(LOCAL);
    }
  });
});
