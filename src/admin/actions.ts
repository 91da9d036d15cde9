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
  /** Erases all that is stored about an account, whether or not it exists any more; says how much that was. */
  eraseUser(jid: string): Promise<Stored>;
  /** All that is stored about an account, one JSON object a line. */
  exportUser(jid: string): AsyncIterable<string>;
  /** Bare JIDs in their order, of one domain or of all. */
  listUsers(domain?: string): Promise<readonly string[]>;
}

/** How much is stored about an account. */
export interface Stored {
  readonly documents: number;
  readonly messages: number;
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
  z.object({ do: z.literal("user.erase"), jid }),
  z.object({ do: z.literal("user.export"), jid }),
  z.object({ do: z.literal("user.list"), domain: jid.optional() }),
]);

export type AdminRequest = z.infer<typeof adminRequest>;

/** What to print, in bunches of lines. */
export type Bunches = AsyncGenerator<readonly string[], void>;

/** Does what a request asks for; the answer is what to print, in bunches of lines. @throws AdminFault */
export async function* perform(actions: AdminActions, request: AdminRequest): Bunches {
  switch (request.do) {
    case "user.add":
      await actions.addUser(request.jid, request.password);
      yield [`added ${request.jid}`];
      return;
    case "user.passwd":
      await actions.setPassword(request.jid, request.password);
      yield [`changed the password of ${request.jid}`];
      return;
    case "user.delete":
      await actions.deleteUser(request.jid);
      yield [`deleted ${request.jid}`];
      return;
    case "user.erase": {
      const { documents, messages } = await actions.eraseUser(request.jid);
      yield [`erased ${documents} documents and ${messages} messages of ${request.jid}; nothing is left`];
      return;
    }
    case "user.export":
      for await (const line of actions.exportUser(request.jid)) yield [line];
      return;
    case "user.list":
      yield await actions.listUsers(request.domain);
      return;
    default:
      return request satisfies never;
  }
}
