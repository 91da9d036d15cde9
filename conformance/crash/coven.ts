// A logged room in the load: its occupants talk all at once. What one of them has heard must be in its archive afterwards, and in the order of the
// archive for each of them; its subject is the last that was heard, or one that came after.
import { setTimeout as delay } from "node:timers/promises";
import { child, elements, textOf, type Tree } from "../runner/xml.js";
import { pagesOf } from "./archive.js";
import { Client, stanzaIdOf } from "./client.js";
import type { Ledger } from "./ledger.js";
import type { Life } from "./life.js";
import type { Dice } from "./random.js";
import { enter, makePersistent } from "./rooms.js";

const ROOM = "coven@conference.localhost";
const NS_DELAY = "urn:xmpp:delay";
const NS_DISCO = "http://jabber.org/protocol/disco#info";
const OURS = /^g\./;
const NAMES = ["witch1", "witch2", "witch3"];
const WINDOW = 8; // stanzas that one of them has open at most
const BURST = 4;
const MAX_SENT = 150; // of one of them in one life

/** A message of the room: its own id, and the one that the room gave it. */
interface Heard {
  readonly id: string;
  readonly stanzaId: string;
}

export class Coven {
  readonly clients: readonly Client[];
  readonly #ledger: Ledger;
  /** What was heard in one life by one of them, in order. */
  readonly #sessions: Heard[][] = [];
  #sent = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.clients = NAMES.map((name) => new Client(name, ledger, false));
  }

  /** How many different messages have been heard. */
  get heard(): number {
    return new Set(this.#sessions.flat().map(({ stanzaId }) => stanzaId)).size;
  }

  /** All come in. The first one makes the room, if it is not there. */
  async gather(life: Life): Promise<void> {
    for (const client of this.clients) await this.#enter(client, life);
  }

  /** They talk until the life is over. */
  async live(life: Life, dice: Dice): Promise<void> {
    try {
      await Promise.all(this.clients.map((client) => this.#talk(client, life, dice)));
    } catch (error) {
      await delay(1000); // the process may be gone, and not yet known to be
      if (!life.hasEnded() && !life.isTroubled) this.#ledger.problem(`${ROOM}: ${String(error)}`);
    }
  }

  async #enter(client: Client, life: Life): Promise<void> {
    await client.connect(life.server.address);
    const heard: Heard[] = [];
    this.#sessions.push(heard);
    client.watch = (message) => this.#listen(message, heard);
    enter(client, ROOM);
    if (client === this.clients[0]) await makePersistent(client, ROOM);
  }

  #listen(message: Tree, heard: Heard[]): void {
    const id = message.attributes.get("id") ?? "";
    if (!OURS.test(id) || child(message, "delay", NS_DELAY)) return; // the subject, as whoever enters is told it
    const stanzaId = stanzaIdOf(message, ROOM);
    if (stanzaId === undefined) this.#ledger.problem(`${id} was heard in ${ROOM} without an id`);
    else heard.push({ id, stanzaId });
  }

  async #talk(client: Client, life: Life, dice: Dice): Promise<void> {
    for (let sent = 0; sent < MAX_SENT && client.isOpen && !life.hasEnded();) {
      for (let more = dice.between(1, BURST); more > 0; more--, sent++) client.send(this.#message(client, dice));
      client.request();
      await client.room(WINDOW);
      await life.pause(dice.below(5));
    }
    await Promise.race([client.closed(), life.over]);
  }

  /** The one who owns the room changes its subject now and then. */
  #message(client: Client, dice: Dice): string {
    const id = `g.${client.user}.${++this.#sent}`;
    const name = client === this.clients[0] && dice.happens(10) ? "subject" : "body";
    return `<message type='groupchat' to='${ROOM}' id='${id}'><${name}>${id}</${name}></message>`;
  }

  /** One of them reads it all, in a life without a load. */
  async judge(life: Life): Promise<void> {
    const [client] = this.clients;
    if (!client || this.heard === 0) return;
    await client.connect(life.server.address);
    const results = await pagesOf(client, this.#ledger, ROOM);
    const archive = results.flatMap(heardIn);
    const places = new Map(archive.map(({ stanzaId }, place) => [stanzaId, place]));
    if (places.size < archive.length) this.#ledger.problem(`${ROOM}: an id is in the archive twice`);
    for (const heard of this.#sessions) this.#compare(heard, archive, places);
    await this.#judgeSubject(client, results);
    await client.leave();
  }

  #compare(heard: readonly Heard[], archive: readonly Heard[], places: ReadonlyMap<string, number>): void {
    let before = -1;
    for (const { id, stanzaId } of heard) {
      const place = places.get(stanzaId);
      if (place === undefined || archive[place]?.id !== id) {
        this.#ledger.forgotten(`${id} was heard in ${ROOM}, and is not in its archive`);
        continue;
      }
      if (place <= before) this.#ledger.problem(`${id} was heard in ${ROOM} in another order than that of the archive`);
      before = Math.max(before, place);
    }
  }

  /** An archived subject that nobody has heard may be in force or not: its turn was under way. */
  async #judgeSubject(client: Client, results: readonly Tree[]): Promise<void> {
    const subjects = results.filter((result) => messageIn(result)?.children.some(isSubject)).flatMap(heardIn);
    const heard = new Set(this.#sessions.flat().map(({ stanzaId }) => stanzaId));
    const last = subjects.findLastIndex(({ stanzaId }) => heard.has(stanzaId));
    const query = `<query xmlns='${NS_DISCO}'/>`;
    const answer = await client.ask((id) => `<iq type='get' to='${ROOM}' id='${id}'>${query}</iq>`);
    const subject = subjectIn(answer && child(answer, "query"));
    if (last >= 0 && !subjects.slice(last).some(({ id }) => id === subject))
      this.#ledger.forgotten(`the subject of ${ROOM} is "${subject}", and ${subjects[last]?.id ?? ""} was heard`);
  }
}

function messageIn(result: Tree): Tree | undefined {
  const forwarded = child(result, "forwarded");
  return forwarded && child(forwarded, "message");
}

function heardIn(result: Tree): readonly Heard[] {
  const id = messageIn(result)?.attributes.get("id") ?? "";
  return [{ id, stanzaId: result.attributes.get("id") ?? "" }];
}

function isSubject(part: Tree["children"][number]): boolean {
  return typeof part !== "string" && part.name === "subject";
}

function subjectIn(query: Tree | undefined): string {
  const form = query && child(query, "x", "jabber:x:data");
  const found = form && elements(form).find(({ attributes }) => attributes.get("var") === "muc#roominfo_subject");
  const value = found && child(found, "value");
  return value ? textOf(value) : "";
}
