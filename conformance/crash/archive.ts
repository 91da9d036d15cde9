// What is kept, seen from both sides: the archive as a client pages through it (XEP-0313), and the log as the storage port reads it once
// the server has stopped. Each message is in each log once.
import { child, elements, textOf, type Tree } from "../runner/xml.js";
import { STORES } from "#rookery/features.js";
import { loadConfig } from "#rookery/core/config.js";
import { SECTIONS } from "#rookery/features.js";
import { openStorage } from "#rookery/storage/open.js";
import type { Storage } from "#rookery/storage/port.js";
import { join } from "node:path";
import type { Client } from "./client.js";
import type { Ledger } from "./ledger.js";

export const NS_MAM = "urn:xmpp:mam:2";
const NS_RSM = "http://jabber.org/protocol/rsm";
const NS_SID = "urn:xmpp:sid:0";
const NS_DISCO = "http://jabber.org/protocol/disco#info";
const PAGE = 100;

/** Whether the account has an archive. */
export async function hasArchive(client: Client): Promise<boolean> {
  const query = `<query xmlns='${NS_DISCO}'/>`;
  const answer = await client.ask((id) => `<iq type='get' to='${client.bare}' id='${id}'>${query}</iq>`);
  const features = elements((answer && child(answer, "query")) ?? emptyTree);
  return features.some(({ name, attributes }) => name === "feature" && attributes.get("var") === NS_MAM);
}

const emptyTree: Tree = { name: "", ns: "", attributes: new Map(), children: [] };

/** Pages through the whole archive into the ledger. */
export async function readArchive(client: Client, ledger: Ledger): Promise<void> {
  const results = await pagesOf(client, ledger, client.bare);
  const times = new Map<string, number>();
  for (const result of results) {
    const id = noteResult(result, client.bare, ledger);
    if (id !== undefined) times.set(id, (times.get(id) ?? 0) + 1);
  }
  for (const [id, entries] of times) if (entries > 1) ledger.doubled(`${client.bare} (archive)`, id, entries);
}

/** All results of an archive, the client's own or a room's. */
export async function pagesOf(client: Client, ledger: Ledger, archive: string): Promise<readonly Tree[]> {
  const results: Tree[] = [];
  client.watch = (message) => {
    const result = child(message, "result", NS_MAM);
    if (result) results.push(result);
  };
  for (let after: string | undefined = ""; after !== undefined;) after = await readPage(client, after, ledger, archive);
  client.watch = () => undefined;
  return results;
}

/** The anchor of the next page; undefined after the last one. */
async function readPage(client: Client, after: string, ledger: Ledger, archive: string): Promise<string | undefined> {
  const behind = after === "" ? "" : `<after>${after}</after>`;
  const set = `<set xmlns='${NS_RSM}'><max>${PAGE}</max>${behind}</set>`;
  const query = `<query xmlns='${NS_MAM}'>${set}</query>`;
  const answer = await client.ask((id) => `<iq type='set' to='${archive}' id='${id}'>${query}</iq>`);
  const fin = answer && child(answer, "fin", NS_MAM);
  if (!fin) {
    ledger.problem(`${client.bare}: the archive of ${archive} could not be read`);
    return undefined;
  }
  const page = child(fin, "set", NS_RSM);
  const last = page && child(page, "last");
  return fin.attributes.get("complete") === "true" || !last ? undefined : textOf(last);
}

function noteResult(result: Tree, account: string, ledger: Ledger): string | undefined {
  const forwarded = child(result, "forwarded");
  const message = forwarded && child(forwarded, "message");
  const id = message && originIdOf(message);
  if (id === undefined || !id.startsWith("m.")) return undefined;
  const stanzaId = result.attributes.get("id");
  ledger.received(id, { account, session: `archive of ${account}`, via: "archive", stanzaId });
  return id;
}

function originIdOf(message: Tree): string | undefined {
  return child(message, "origin-id", NS_SID)?.attributes.get("id");
}

/** Opens the store of a server that has stopped. */
export function openStore(folder: string): Promise<Storage> {
  const { config } = loadConfig({ file: join(folder, "rookery.toml"), sections: SECTIONS });
  return openStorage(config.storage.url, config.data_dir, STORES);
}

/** The origin-ids that are more than once in an account's log, hidden entries included, and how often. */
export async function doubledIn(storage: Storage, owner: string): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  for (let after = 0; ;) {
    const rows = await storage.log(owner, { after, limit: PAGE });
    for (const { originId } of rows) if (originId !== undefined) times.set(originId, (times.get(originId) ?? 0) + 1);
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return new Map([...times].filter(([, entries]) => entries > 1));
    after = last.id;
  }
}
