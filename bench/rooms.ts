// The generator of group chat, a process of its own: rooms in each of which one occupant keeps some messages in flight to all. Every occupant
// must hear every message of its room, once and in order; what is counted is deliveries.
import { setTimeout as delay } from "node:timers/promises";
import { inChild, serve } from "./child.js";
import { type Contestant, type Named, perSecond, type Series, withServers } from "./compare.js";
import { Connection, type Target } from "./connection.js";
import { difference, type Measured, PASSWORD, receiver, sender, snapshot } from "./load.js";
import { STANZA_BYTES } from "./pair.js";
import { DIGITS, numbered, Sequence } from "./sequence.js";

export interface RoomsPlan {
  readonly rooms: number;
  readonly occupants: number;
  /** Messages of each speaker that are under way at once. */
  readonly inFlight: number;
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

interface Job extends RoomsPlan {
  readonly target: Target;
  readonly serverPid: number;
  /** Makes the rooms' names those of this round. */
  readonly round: number;
}

const STALL_MS = 20_000; // a message that takes longer is lost
const AT_ONCE = 25; // logins under way

/** Measures all servers, in turn. `say` gets a line per round. */
export function compareRooms(
  servers: readonly Contestant[],
  plan: RoomsPlan,
  say: (line: string) => void,
): Promise<readonly Series[]> {
  return withServers(servers, Math.ceil((plan.rooms * plan.occupants) / 2), (running) =>
    measureAll(running, plan, say),
  );
}

async function measureAll(
  running: readonly Named[],
  plan: RoomsPlan,
  say: (line: string) => void,
): Promise<readonly Series[]> {
  const series = running.map((one) => ({ one, rounds: [] as Measured[] }));
  for (let round = 1; round <= plan.rounds; round++)
    for (const { one, rounds } of series) {
      const { host, domain, port, pid } = one.server;
      const job: Job = { ...plan, target: { host, domain, port }, serverPid: pid, round };
      const measured = await inChild<Measured>("rooms.js", job);
      rounds.push(measured);
      say(`round ${round} ${one.name} rooms: ${perSecond([measured])} deliveries/s`);
    }
  return series.map(({ one, rounds }) => ({ server: one.name, mode: "rooms", rounds }));
}

const user = (index: number): string => (index % 2 === 0 ? sender(index >> 1) : receiver(index >> 1));

class Room {
  readonly #speaker: Connection;
  readonly #heard: readonly Sequence[];
  readonly #before: string;
  readonly #after: string;
  readonly #ready: (room: Room) => void;
  #sent = 0;
  #credit: number;

  constructor(
    address: string,
    occupants: readonly Connection[],
    inFlight: number,
    events: { readonly ready: (room: Room) => void; readonly failed: (reason: string) => void },
  ) {
    const [speaker] = occupants;
    if (!speaker) throw new Error("a room without occupants");
    this.#speaker = speaker;
    this.#before = `<message to='${address}' type='groupchat' id='`;
    const fixed = this.#before.length + "'><body>~</body></message>".length + 2 * DIGITS;
    this.#after = " ".padEnd(Math.max(1, STANZA_BYTES - fixed), "abcdefghi ") + "</body></message>";
    this.#credit = inFlight;
    this.#ready = events.ready;
    const closed = (error?: Error): void => events.failed(`connection closed: ${error?.message ?? "by the server"}`);
    this.#heard = occupants.map((connection) => {
      const heard = new Sequence();
      const own = connection === speaker ? (): void => this.#gotBack() : undefined;
      connection.listen((text) => {
        const wrong = heard.take(text, own);
        if (wrong !== undefined) events.failed(wrong);
      }, closed);
      return heard;
    });
  }

  get deliveries(): number {
    return this.#heard.reduce((sum, { received }) => sum + received, 0);
  }

  get settled(): boolean {
    return this.#heard.every(({ received }) => received === this.#sent);
  }

  /** As many messages as are allowed, in one write. */
  speak(): void {
    let text = "";
    for (; this.#credit > 0; this.#credit--) {
      const number = numbered(this.#sent++);
      text += `${this.#before}${number}'><body>~${number}${this.#after}`;
    }
    if (text !== "") this.#speaker.write(text);
  }

  #gotBack(): void {
    if (this.#credit++ === 0) this.#ready(this);
  }
}

async function run(job: Job): Promise<Measured> {
  const { serverPid, warmUpMs, measureMs } = job;
  const connections = await logInAll(job);
  let isSpeaking = false;
  let failure: string | undefined;
  const failed = (reason: string): void => void (failure ??= reason);
  const ready = (room: Room): void => void setImmediate(() => isSpeaking && room.speak());
  const rooms = await Promise.all(
    Array.from({ length: job.rooms }, async (_, at) => {
      const address = `round${job.round}-${at}@conference.${job.target.domain}`;
      const occupants = connections.slice(at * job.occupants, (at + 1) * job.occupants);
      await gather(address, occupants);
      return new Room(address, occupants, job.inFlight, { ready, failed });
    }),
  );
  const total = (): number => rooms.reduce((sum, { deliveries }) => sum + deliveries, 0);
  const goOn = async (isOver: () => boolean): Promise<void> => {
    for (let last = total(), seen = performance.now(); !isOver();) {
      await delay(20);
      if (failure !== undefined) throw new Error(failure);
      if (total() > last) [last, seen] = [total(), performance.now()];
      else if (performance.now() - seen > STALL_MS) throw new Error(`no message for ${STALL_MS} ms`);
    }
  };
  const during = (ms: number): Promise<void> => {
    const until = performance.now() + ms;
    return goOn(() => performance.now() >= until);
  };
  isSpeaking = true;
  for (const room of rooms) room.speak();
  await during(warmUpMs);
  const before = snapshot(serverPid, total());
  await during(measureMs);
  const measured = difference(before, snapshot(serverPid, total()));
  isSpeaking = false;
  await goOn(() => rooms.every(({ settled }) => settled));
  for (const connection of connections) connection.close();
  return measured;
}

async function logInAll({ target, rooms, occupants }: Job): Promise<readonly Connection[]> {
  const all: Connection[] = [];
  for (let from = 0; from < rooms * occupants; from += AT_ONCE)
    all.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(AT_ONCE, rooms * occupants - from) }, async (_, at) => {
          const connection = await Connection.open(target);
          await connection.login(target.domain, user(from + at), PASSWORD);
          return connection;
        }),
      )),
    );
  return all;
}

const MUC = "http://jabber.org/protocol/muc";

/** The first makes the room, as it is by default; then all others enter. Everybody has heard of the last one when it is over. */
async function gather(address: string, occupants: readonly Connection[]): Promise<void> {
  for (const [at, connection] of occupants.entries()) {
    connection.write(`<presence to='${address}/nick${at}'><x xmlns='${MUC}'><history maxstanzas='0'/></x></presence>`);
    await connection.until(/<status [^>]*code=['"]110['"]/);
    if (at === 0) await unlock(address, connection);
  }
  const last = new RegExp(`<presence[^>]*/nick${occupants.length - 1}['"][^]*?</presence>`);
  for (const connection of occupants) {
    if (connection !== occupants.at(-1)) await connection.until(last);
    connection.write("<iq type='get' id='gathered'><ping xmlns='urn:xmpp:ping'/></iq>"); // only now: servers may answer ahead of presence
    await connection.until(/<iq[^>]*id=['"]gathered['"]/);
  }
}

async function unlock(address: string, owner: Connection): Promise<void> {
  owner.write(
    `<iq type='set' id='unlock' to='${address}'><query xmlns='${MUC}#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>`,
  );
  await owner.until(/<iq[^>]*id=['"]unlock['"]/);
}

serve(import.meta.url, run);
