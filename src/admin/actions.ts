// What an administrator can have done to accounts: the same requests from the command line, whether a server runs or not.
import { z } from "zod";
import type { ForOperator } from "../core/reason.js";

/** Done by main with the accounts of the store. Failures that the administrator can understand are thrown as {@link AdminFault}. */
export interface AdminActions {
  /** @throws AdminFault if the address is none, its domain is not served, the account exists, or the password is not allowed. */
  addUser(jid: string, password: string): Promise<void>;
  /** Sessions that are open stay open; tokens stop working. */
  setPassword(jid: string, password: string): Promise<void>;
  /** Erases the account and all that belongs to it, and tells its contacts. */
  deleteUser(jid: string): Promise<void>;
  /** Bare JIDs in their order, of one domain or of all. */
  listUsers(domain?: string): Promise<readonly string[]>;
}

/** Why something asked for was not done, in one line. */
export class AdminFault extends Error implements ForOperator {
  constructor(message: string) {
    super(message);
    this.name = "AdminFault";
  }

  get forOperator(): readonly string[] {
    return [this.message];
  }
}

const jid = z.string().min(1).max(3071);
const password = z.string().min(1).max(1023);

export const adminRequest = z.discriminatedUnion("do", [
  z.object({ do: z.literal("user.add"), jid, password }),
  z.object({ do: z.literal("user.passwd"), jid, password }),
  z.object({ do: z.literal("user.delete"), jid }),
  z.object({ do: z.literal("user.list"), domain: jid.optional() }),
]);

export type AdminRequest = z.infer<typeof adminRequest>;

/** Does what a request asks for; the answer is what to print, line by line. @throws AdminFault */
export async function perform(actions: AdminActions, request: AdminRequest): Promise<readonly string[]> {
  switch (request.do) {
    case "user.add":
      await actions.addUser(request.jid, request.password);
      return [`added ${request.jid}`];
    case "user.passwd":
      await actions.setPassword(request.jid, request.password);
      return [`changed the password of ${request.jid}`];
    case "user.delete":
      await actions.deleteUser(request.jid);
      return [`deleted ${request.jid}`];
    case "user.list":
      return actions.listUsers(request.domain);
    default:
      return request satisfies never;
  }
}
