// A long random day in Verona, the same on every run: people write, come, go and change their minds while the store fails now and then.
// At its end every message that was accepted has been delivered, is still kept, or was refused: one of these. Memory is as the store is.
import { describe, expect, it } from "@jest/globals";
import { features } from "../features.js";
import { rosterOf } from "../roster/items.js";
import { JID } from "../stanza/jid.js";
import { type Device, World } from "../xeps/world.test.kit.js";

const PEOPLE = ["romeo", "juliet", "tybalt"];
const STEPS = 400;

class Day {
  readonly world: World;
  readonly #writers: readonly Device[];
  /** Devices that read, by full JID. */
  readonly #readers = new Map<string, Device>();
  readonly #coming = new Set<string>();
  /** What each device was given, in order, also those that have gone. */
  readonly inboxes: Device[] = [];
  readonly sent: string[] = [];
  readonly #resources: readonly string[];
  #state: number;

  private constructor(world: World, writers: readonly Device[], seed: number) {
    this.world = world;
    this.#writers = writers;
    this.#state = seed;
    this.#resources = isCalm(seed) ? ["one"] : ["one", "two"];
  }

  static async begin(seed: number): Promise<Day> {
    const world = await World.open(features, {
      accounts: PEOPLE.map(bare),
      config: `[limits]\naccount_cache_bytes = ${seed % 3 ? 1 : 1_000_000}`,
    });
    const writers = [];
    for (const name of PEOPLE) writers.push(await world.device(`${bare(name)}/writer`));
    return new Day(world, writers, seed);
  }

  /** A number from 0 to below `n`: a linear congruential generator, good enough to mix steps. */
  below(n: number): number {
    this.#state = (this.#state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return Math.floor((this.#state / 2 ** 32) * n);
  }

  one<T>(choices: readonly [T, ...T[]] | readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  async step(): Promise<void> {
    const { storage, clock } = this.world;
    const dice = this.below(100);
    if (dice < 45) this.#write();
    else if (dice < 55) this.#editRoster();
    else if (dice < 65) this.#come();
    else if (dice < 75 && this.#resources.length > 1) await this.#leave();
    else if (dice < 80 && this.#resources.length > 1)
      this.#reader()?.sendsNow("<presence><priority>-1</priority></presence>");
    else if (dice < 84) this.#reader()?.sendsNow("<presence/>");
    else if (dice < 87) storage.failNext("refused");
    else if (dice < 90) storage.failNext("unknown", this.below(2) ? { written: true } : {});
    else if (dice < 93) storage.hold();
    else if (dice < 97) storage.release();
    else clock.advance(300);
    for (let turns = this.below(4); turns > 0; turns--) await this.world.settled();
  }

  /** Everything under way comes to its end, and the store works again. */
  async end(): Promise<void> {
    this.world.storage.release();
    for (let turn = 0; turn < 60; turn++) {
      await this.world.settled();
      this.world.clock.advance(300);
    }
  }

  /** Errors that the writers got, by the id of the message. */
  get refused(): readonly string[] {
    const got = this.#writers.flatMap(({ received }) => received);
    return got.flatMap(({ kind, type, id }) => (kind === "message" && type === "error" && id ? id : []));
  }

  get isEverybodyThere(): boolean {
    return this.#writers.every(({ session }) => session?.open);
  }

  #write(): void {
    const from = this.below(PEOPLE.length);
    const resource = this.one(["", "", "", "/one"]);
    const id = `${PEOPLE[from] ?? ""}${resource} ${this.sent.length}`;
    const to = bare(this.one(PEOPLE)) + resource;
    this.sent.push(id);
    this.#writers[from]?.sendsNow(`<message to='${to}' type='chat' id='${id}'><body>${id}</body></message>`);
  }

  #editRoster(): void {
    const remove = this.below(3) === 0 ? " subscription='remove'" : "";
    const contact = bare(this.one(PEOPLE));
    const writer = this.one(this.#writers);
    if (this.below(3) === 0) return writer.sendsNow(`<presence type='subscribe' to='${contact}'/>`);
    if (this.below(3) === 0) return writer.sendsNow(`<presence type='subscribed' to='${contact}'/>`);
    writer.sendsNow(
      `<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='${contact}'${remove}/></query></iq>`,
    );
  }

  /** Binding may have to wait for the store, and is not waited for. */
  #come(): void {
    const jid = `${bare(this.one(PEOPLE))}/${this.one(this.#resources)}`;
    if (this.#coming.has(jid)) return;
    this.#coming.add(jid);
    void this.world.device(jid).then((device) => {
      this.#readers.set(jid, device);
      this.inboxes.push(device);
      device.sendsNow("<presence/>");
    });
  }

  async #leave(): Promise<void> {
    const [jid, device] = this.one([...this.#readers, undefined]) ?? [];
    if (!jid) return;
    this.#readers.delete(jid);
    this.#coming.delete(jid);
    await device?.goes();
  }

  #reader(): Device | undefined {
    return this.one([...this.#readers.values(), undefined]);
  }
}

/** Nobody has two devices or goes: what is given to somebody else, or again, may come after what was sent later. */
function isCalm(seed: number): boolean {
  return seed % 2 === 1;
}

function bare(name: string): string {
  return `${name}@localhost`;
}

async function pendingIn(world: World): Promise<readonly string[]> {
  const bodies: string[] = [];
  for (const name of PEOPLE)
    for (const { stanza } of await world.storage.log(bare(name), { pending: true, limit: 1000 }))
      bodies.push(/<body>(.*?)<\/body>/.exec(stanza)?.[1] ?? "");
  return bodies;
}

/** Those to the bare JID, for a resource with a negative priority is given those to its full JID before them. */
function ofOneSender(bodies: readonly string[], name: string): readonly number[] {
  return bodies.filter((id) => id.startsWith(`${name} `)).map((id) => Number(id.split(" ")[1]));
}

async function inMemory(world: World, name: string): Promise<readonly string[]> {
  const items = [...rosterOf(await world.core.accounts.load(JID.parse(bare(name)))).all()];
  return items.map(({ jid, state, listed }) => `${jid.toString()} ${state} ${String(listed)}`).sort();
}

async function inStore(world: World, name: string): Promise<readonly string[]> {
  const rows = (await world.storage.load([bare(name)], ["roster"])).get(bare(name)) ?? [];
  const items = rows.filter(({ key }) => key !== "");
  return items.map(({ key, doc }) => `${key} ${doc["state"] as string} ${String(doc["listed"] === true)}`).sort();
}

describe("a random day with failing commits", () => {
  it.each(Array.from({ length: 16 }, (_, n) => n + 1))(
    "number %i loses no message, refuses none that it kept, and keeps each sender's order @1.9",
    async (seed) => {
      const day = await Day.begin(seed);
      for (let step = 0; step < STEPS; step++) await day.step();
      await day.end();
      expect(day.isEverybodyThere).toBe(true);
      const delivered = new Set(day.inboxes.flatMap(({ bodies }) => bodies));
      const pending = new Set(await pendingIn(day.world));
      const refused = new Set(day.refused);
      const fates = day.sent.map((id) => [id, delivered.has(id) || pending.has(id), refused.has(id)]);
      expect(fates.filter(([, kept, no]) => kept === no)).toEqual([]);
      for (const { bodies } of isCalm(seed) ? day.inboxes : [])
        for (const name of PEOPLE) {
          const order = ofOneSender(bodies, name);
          expect(order).toEqual([...order].sort((a, b) => a - b));
        }
      for (const name of PEOPLE) expect(await inMemory(day.world, name)).toEqual(await inStore(day.world, name));
    },
  );
});
