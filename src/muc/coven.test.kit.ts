// A house of witches for tests of rooms: a server, its people at their devices, and short words for what they do in a room and what they hear.
import type { Feature } from "../core/feature.js";
import { features } from "../features.js";
import type { Stanza } from "../stanza/stanza.js";
import type { Element } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";
import { conditionOf, type Device, World, type WorldOptions } from "../xeps/world.test.kit.js";

export const ROOM = "coven@conference.localhost";
const TURNS = 8; // more than any exchange here has steps that wait
const WITCHES = ["crone", "hag", "wicca"];

export interface Coven {
  readonly world: World;
  readonly crone: Witch;
  readonly hag: Witch;
  readonly wicca: Witch;
  /** Everything under way comes to its end. */
  readonly settle: () => Promise<void>;
  /** One more device, of one of the accounts. */
  readonly another: (jid: string) => Promise<Witch>;
}

export interface CovenOptions extends WorldOptions {
  /** A feature that comes first. */
  readonly more?: Feature;
}

/** Nobody is in the room yet. */
export async function coven({ more, ...options }: CovenOptions = {}): Promise<Coven> {
  const accounts = WITCHES.map((name) => `${name}@localhost`);
  const world = await World.open((context) => [...(more ? [more] : []), ...features(context)], {
    accounts,
    ...options,
  });
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < TURNS; turn++) await world.settled();
  };
  const another = async (jid: string): Promise<Witch> => new Witch(await world.device(jid), settle);
  const [crone, hag, wicca] = await Promise.all([
    another("crone@localhost/desktop"),
    another("hag@localhost/pda"),
    another("wicca@localhost/laptop"),
  ]);
  return { world, crone, hag, wicca, settle, another };
}

/** The first makes the room, configured so; the others enter by their names; what they are told is forgotten. */
export async function gathered(
  fields: Readonly<Record<string, string>> = {},
  options: CovenOptions = {},
): Promise<Coven> {
  const all = await coven(options);
  const { crone, hag, wicca } = all;
  await crone.enters("crone");
  await crone.configures(fields);
  await hag.enters("hag");
  await wicca.enters("wicca");
  for (const witch of [crone, hag, wicca]) witch.forget();
  return all;
}

export class Witch {
  readonly device: Device;
  readonly #settle: () => Promise<void>;

  constructor(device: Device, settle: () => Promise<void>) {
    this.device = device;
    this.#settle = settle;
  }

  get jid(): string {
    return String(this.device.session?.jid);
  }

  async sends(xml: string): Promise<void> {
    this.device.sendsNow(xml);
    await this.#settle();
  }

  /** `inside`: children of the `<x/>`. */
  enters(nick: string, inside = ""): Promise<void> {
    return this.sends(`<presence id='enter' to='${ROOM}/${nick}'><x xmlns='${NS.muc}'>${inside}</x></presence>`);
  }

  leaves(nick: string): Promise<void> {
    return this.sends(`<presence type='unavailable' to='${ROOM}/${nick}'/>`);
  }

  says(body: string, id = "said"): Promise<void> {
    return this.sends(`<message type='groupchat' id='${id}' to='${ROOM}'><body>${body}</body></message>`);
  }

  /** Submits the form; without fields an empty one. */
  configures(fields: Readonly<Record<string, string>>): Promise<void> {
    const filled = Object.entries({ FORM_TYPE: NS.mucRoomConfig, ...fields });
    const values = filled.map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`).join("");
    const form = Object.keys(fields).length === 0 ? "" : values;
    const query = `<query xmlns='${NS.mucOwner}'><x xmlns='${NS.dataForms}' type='submit'>${form}</x></query>`;
    return this.sends(`<iq type='set' id='form' to='${ROOM}'>${query}</iq>`);
  }

  /** Changes roles and affiliations: "nick=hag role=none" or "jid=hag@localhost affiliation=outcast", with what is said of the reason. */
  sets(...items: readonly string[]): Promise<void> {
    return this.sends(`<iq type='set' id='set' to='${ROOM}'>${adminQuery(items)}</iq>`);
  }

  /** Asks for a list, and tells its items in short: "hag@localhost member hag". */
  async lists(item: string): Promise<readonly string[]> {
    const before = this.device.received.length;
    await this.sends(`<iq type='get' id='get' to='${ROOM}'>${adminQuery([item])}</iq>`);
    const [answer] = this.device.received.splice(before).filter(({ kind }) => kind === "iq");
    if (!answer || answer.type === "error") return [answer ? lineOf(answer) : "nothing"];
    const items = answer.child("query", NS.mucAdmin)?.getChildren("item") ?? [];
    return items.map(itemLine);
  }

  /** The items of MUC presence and notices heard since it was forgotten: "hag outcast none by crone: Treason". */
  get items(): readonly string[] {
    return this.device.received.flatMap((stanza) => {
      const item = stanza.child("x", NS.mucUser)?.getChild("item");
      return item ? [[stanza.from?.resource || "room", itemLine(item)].join(" ")] : [];
    });
  }

  /** What has been heard since it was forgotten, a line for each stanza; see `lineOf`. */
  get heard(): readonly string[] {
    return this.device.received.map(lineOf);
  }

  /** The same, and forgets it. */
  hears(): readonly string[] {
    const lines = this.heard;
    this.forget();
    return lines;
  }

  forget(): void {
    this.device.received.length = 0;
  }
}

/** A stanza in short: "hag: hello", "hag enters 110", "hag goes 110 333", "subject: Fire", "error item-not-found", "result form". */
function lineOf(stanza: Stanza): string {
  const nick = stanza.from?.resource || "room";
  if (stanza.type === "error") return `error ${conditionOf(stanza.element)}`;
  switch (stanza.kind) {
    case "iq":
      return `${stanza.type ?? ""} ${stanza.id ?? ""}`;
    case "presence":
      return [nick, stanza.type === "unavailable" ? "goes" : "enters", ...codesIn(stanza)].join(" ");
    case "message":
      return messageLine(stanza, nick);
  }
}

function adminQuery(items: readonly string[]): string {
  const written = items.map((item) => {
    const [attributes = "", reason] = item.split(": ");
    const quoted = attributes.replace(/(\w+)=(\S*)/g, "$1='$2'");
    return `<item ${quoted}>${reason === undefined ? "" : `<reason>${reason}</reason>`}</item>`;
  });
  return `<query xmlns='${NS.mucAdmin}'>${written.join("")}</query>`;
}

/** Address, affiliation, role, nick: what there is of them, who did it, and why. */
function itemLine(item: Element): string {
  const { jid, affiliation, role, nick } = item.attrs as Readonly<Record<string, string | undefined>>;
  const by: unknown = item.getChild("actor")?.attrs["nick"];
  const reason = item.getChildText("reason");
  const words = [jid, affiliation, role, nick, typeof by === "string" ? `by ${by}` : undefined];
  return words.filter((word) => word !== undefined).join(" ") + (reason ? `: ${reason}` : "");
}

function messageLine(stanza: Stanza, nick: string): string {
  const subject = stanza.child("subject", NS.client)?.text();
  const body = stanza.child("body", NS.client)?.text();
  if (body === undefined && subject !== undefined) return `subject: ${subject}`;
  if (body === undefined) return [nick, "notes", ...codesIn(stanza)].join(" ");
  const how = stanza.type === "groupchat" ? "" : " whispers";
  return `${nick}${how}: ${body}${stanza.has("delay", NS.delay) ? " (before)" : ""}`;
}

function codesIn(stanza: Stanza): readonly string[] {
  const statuses = stanza.child("x", NS.mucUser)?.getChildren("status") ?? [];
  return statuses.map(({ attrs }) => String(attrs["code"]));
}
