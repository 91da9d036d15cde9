// The administrator's actions on accounts, done by the core: the same whether the command line asks a running server or works alone.
import type { Personal } from "../core/personal.js";
import type { Users } from "../core/users.js";
import type { Config } from "../core/config.js";
import { JID, JidError } from "../stanza/jid.js";
import { PrecisError } from "../stanza/precis.js";
import { AdminFault, type AdminActions } from "./actions.js";

export function accountActions(users: Users, personal: Personal, config: Config): AdminActions {
  return {
    async addUser(text, password) {
      const jid = addressOf(text, config);
      const outcome = await usable(users.create(jid, password));
      if (outcome === "conflict")
        throw new AdminFault(`${jid.toString()} exists already: use "user passwd" to change its password`);
      if (outcome !== "done") throw storeFault(outcome);
    },
    async setPassword(text, password) {
      const jid = addressOf(text, config);
      const outcome = await usable(users.setPassword(jid, password));
      if (outcome === "conflict")
        throw new AdminFault(`there is no account ${jid.toString()}: use "user add" to make it`);
      if (outcome !== "done") throw storeFault(outcome);
    },
    async deleteUser(text) {
      const jid = addressOf(text, config);
      const outcome = await users.remove(jid);
      if (outcome === "conflict") throw new AdminFault(`there is no account ${jid.toString()}`);
      if (outcome !== "done") throw storeFault(outcome);
    },
    async eraseUser(text) {
      const jid = addressOf(text, config);
      const stored = await personal.measure(jid);
      const outcome = await personal.erase(jid);
      if (outcome !== "done") throw storeFault(outcome);
      const left = await personal.measure(jid);
      if (left.documents + left.messages > 0)
        throw new AdminFault(`something of ${jid.toString()} is still there: erase it again`);
      return stored;
    },
    async *exportUser(text) {
      const jid = addressOf(text, config);
      const { documents, messages } = await personal.measure(jid);
      if (documents + messages === 0) throw new AdminFault(`nothing is stored about ${jid.toString()}`);
      for await (const record of personal.export(jid)) yield JSON.stringify(record);
    },
    async listUsers(domain) {
      const found: string[] = [];
      for await (const jid of users.list()) if (domain === undefined || jid.endsWith(`@${domain}`)) found.push(jid);
      return found;
    },
  };
}

/** The bare JID of an account of ours. Throws AdminFault with what is wrong about the text. */
function addressOf(text: string, config: Config): JID {
  const jid = parsed(text);
  if (jid.local === "" || !jid.isBare)
    throw new AdminFault(`"${text}" is not the address of an account: it looks like NAME@${config.domain}`);
  if (!config.domains.includes(jid.domain))
    throw new AdminFault(
      `this server has no accounts at ${jid.domain}, only at ${config.domains.join(", ")}: see the setting domain`,
    );
  return jid;
}

function parsed(text: string): JID {
  try {
    return JID.parse(text);
  } catch (error) {
    if (error instanceof JidError) throw new AdminFault(`"${text}" is not an address: ${error.message}`);
    throw error;
  }
}

async function usable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof PrecisError) throw new AdminFault(`this password cannot be used: it ${error.message}`);
    throw error;
  }
}

function storeFault(outcome: string): AdminFault {
  return new AdminFault(`the store did not take the change (${outcome}): see the log, and whether the disk is full`);
}
