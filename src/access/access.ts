import { createHash, timingSafeEqual } from "node:crypto";
import { LOCAL, type Caller, type Principal } from "../core/caller.ts";
import { DynamicMcpError } from "../core/errors.ts";
import type { Permission } from "../core/item.ts";
import type { JsonObject } from "../core/json.ts";

/**
 * Who may do what. For now: everybody is `local`; whoever shows the admin token is the operator.
 * Credentials never travel further than this room.
 */
export interface Access {
  /** The principal of an HTTP request; `authorization` is that header. Unknown credentials are no credentials. */
  identify(headers: { authorization?: string | undefined }): Principal;

  /**
   * Takes the `adminToken` argument, which older clients send, out of the arguments of a tool that needs more than `use`.
   *
   * @throws FORBIDDEN when it is there and wrong
   */
  elevate(caller: Caller, args: JsonObject): { caller: Caller; args: JsonObject };

  /** @throws FORBIDDEN with what is missing */
  assertMay(caller: Caller, permission: Permission): void;

  /** Whether changing tools takes the admin token. */
  readonly requiresAdmin: boolean;
}

/** One token, in the few ways in which the word before it is written. */
const MAX_PROVED = 8;
const ADMIN: Principal = Object.freeze({ id: "admin", kind: "admin", isAdmin: true });

export function createAccess({ adminToken }: { adminToken?: string | undefined }): Access {
  const expected = adminToken === undefined ? undefined : digest(adminToken);
  /**
   * Headers that have shown the token, so that it is not digested for each request. Looked up by a seeded hash of the whole
   * text, so the time it takes tells nothing of how much of a guess is right.
   */
  const proved = new Set<string>();
  const isAdminToken = (token: string) => expected !== undefined && timingSafeEqual(digest(token), expected);

  return {
    requiresAdmin: expected !== undefined,

    identify({ authorization }) {
      if (authorization === undefined) return LOCAL;
      if (proved.has(authorization)) return ADMIN;
      const token = /^bearer +(\S+)$/i.exec(authorization)?.[1];
      if (token === undefined || !isAdminToken(token)) return LOCAL;
      if (proved.size < MAX_PROVED) proved.add(authorization);
      return ADMIN;
    },

    elevate(caller, args) {
      if (!Object.hasOwn(args, "adminToken")) return { caller, args };
      const { adminToken: token, ...others } = args;
      if (expected === undefined) return { caller, args: others };
      if (typeof token === "string" && isAdminToken(token)) {
        return { caller: { ...caller, principal: { ...caller.principal, isAdmin: true } }, args: others };
      }
      throw new DynamicMcpError("FORBIDDEN", "the admin token is not valid; ask the operator of this server for it");
    },

    assertMay(caller, permission) {
      if (permission === "use" || caller.principal.isAdmin) return;
      if (permission === "author" && expected === undefined) return;
      throw new DynamicMcpError(
        "FORBIDDEN",
        "this needs the admin token: pass it as the argument `adminToken` or as `Authorization: Bearer <token>`",
        { data: { permission } },
      );
    },
  };
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
