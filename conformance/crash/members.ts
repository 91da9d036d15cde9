// Who takes part in a round, and what each does while the server lives: senders, and every kind of receiver there is.
import { Registrar } from "../servers/registrar.js";
import { changeSomething, subscribe } from "./changes.js";
import { Client } from "./client.js";
import type { Ledger } from "./ledger.js";
import type { Life } from "./life.js";
import { PASSWORD } from "./login.js";
import type { Dice } from "./random.js";
import { enter, isIn, makePersistent } from "./rooms.js";

export type Role = "sender" | "online" | "coming and going" | "hibernating" | "away" | "quiet";

export interface Member {
  readonly role: Role;
  readonly client: Client;
  /** Quiet, and the server knows how far it is (`<a/>`). */
  isQuiet: boolean;
  /** The room has said so to its session. */
  isInRoom: boolean;
}

/** What a member acts in. */
export interface Scene {
  readonly life: Life;
  readonly members: readonly Member[];
  readonly ledger: Ledger;
  readonly dice: Dice;
}

/** What came of resuming sessions. */
export interface Resumptions {
  tried: number;
  done: number;
  /** Those that came back and had been in a room, and of these the ones that still are (rulings 8). */
  occupants: number;
  inRoom: number;
}

export const NO_RESUMPTIONS: Readonly<Resumptions> = { tried: 0, done: 0, occupants: 0, inRoom: 0 };

const WINDOW = 24; // stanzas a sender has open at most
const BURST = 6;
/** Messages of one sender in one life: keeps a round within seconds on any machine. */
const MAX_SENT = 400;

export function cast(ledger: Ledger): readonly Member[] {
  const member = (role: Role, name: string, wantsManagement: boolean): Member => ({
    role,
    client: new Client(name, ledger, wantsManagement),
    isQuiet: false,
    isInRoom: false,
  });
  return [
    member("sender", "sender1", false),
    member("sender", "sender2", true),
    member("sender", "sender3", false),
    member("sender", "sender4", true),
    member("online", "plain", false),
    member("online", "managed", true),
    member("coming and going", "restless", false),
    member("coming and going", "restless2", true),
    member("hibernating", "hibernating", true),
    member("away", "away1", false),
    member("away", "away2", true),
    ...["quiet1", "quiet2", "quiet3", "quiet4"].map((name) => member("quiet", name, true)),
  ];
}

export function withRole(members: readonly Member[], wanted: Role): readonly Member[] {
  return members.filter(({ role }) => role === wanted);
}

/** Those that messages go to. */
export function recipientsIn(members: readonly Member[]): readonly string[] {
  return members.filter(({ role }) => role !== "sender" && role !== "quiet").map(({ client }) => client.bare);
}

/** Lives until the life is over; a session that the server ends is begun again. */
export async function live(member: Member, scene: Scene): Promise<void> {
  const { life, ledger } = scene;
  while (!life.hasEnded()) {
    try {
      await behave(member, scene);
    } catch (error) {
      await life.pause(1000); // the process may be gone, and not yet known to be
      if (!life.hasEnded() && !life.isTroubled) ledger.problem(`${member.client.bare}: ${String(error)}`);
    }
  }
}

/** Logs in; an attempt of a quiet session to resume is counted. */
export async function connect(
  { client, isQuiet, isInRoom }: Member,
  { server }: Life,
  resumed: Resumptions,
): Promise<void> {
  const counts = isQuiet && client.isResumable;
  const login = await client.connect(server.address);
  if (!counts) return;
  resumed.tried++;
  if (login !== "resumed") return;
  resumed.done++;
  if (!isInRoom) return;
  resumed.occupants++;
  if (await isIn(client, cellOf(client))) resumed.inRoom++;
}

/** A room for one alone: nothing that happens in it breaks the quiet. */
function cellOf({ user }: Client): string {
  return `cell-${user}@conference.localhost`;
}

async function behave(member: Member, scene: Scene): Promise<unknown> {
  const { client, role } = member;
  const { life, dice } = scene;
  if (role === "away") return life.over;
  if (!client.isOpen) await client.connect(life.server.address);
  switch (role) {
    case "sender":
      return sending(client, scene);
    case "online":
      return Promise.race([client.closed(), life.over]);
    case "coming and going":
      await life.pause(dice.between(20, 150));
      await client.leave();
      return life.pause(dice.between(10, 250));
    case "hibernating":
      await life.pause(dice.between(50, 300));
      await client.drop();
      return life.over;
    case "quiet":
      member.isQuiet = false;
      client.say(client.bare, "bare", 1);
      enter(client, cellOf(client));
      await makePersistent(client, cellOf(client));
      await client.caughtUp();
      member.isInRoom = await isIn(client, cellOf(client)); // the store may have failed meanwhile
      member.isQuiet = await client.settled();
      return Promise.race([client.closed(), life.over]);
    default:
      role satisfies never;
  }
}

async function sending(client: Client, { life, members, ledger, dice }: Scene): Promise<void> {
  const recipients = recipientsIn(members);
  subscribe(client, ledger, dice.oneOf(recipients));
  for (let sent = 0; sent < MAX_SENT && client.isOpen && !life.hasEnded();) {
    for (let more = dice.between(1, BURST); more > 0; more--, sent++) {
      if (dice.happens(20)) changeSomething(client, ledger, dice, dice.below(1_000_000));
      else sayTo(client, dice.oneOf(recipients), dice);
    }
    client.request();
    await client.room(WINDOW);
    await life.pause(dice.below(5));
  }
  await Promise.race([client.room(1), life.over]);
  await Promise.race([client.closed(), life.over]);
}

/** To the bare JID, to the resource, or a message without type; a few are large. */
export function sayTo(client: Client, recipient: string, dice: Dice): void {
  const form = dice.oneOf(["bare", "bare", "full", "normal"] as const);
  client.say(recipient, form, dice.happens(3) ? dice.between(500, 3000) : dice.between(1, 40));
}

/** Makes accounts one after the other for as long as the server lives; each that was confirmed must be there afterwards. */
export async function registering({ life, ledger }: Scene, name: string): Promise<void> {
  const registrar = new Registrar(life.server.address);
  try {
    for (let number = 1; !life.hasEnded(); number++) {
      const user = `${name}-${number}`;
      const change = ledger.change(`${user}@${life.server.address.domain}`, "account", "made");
      await registrar.create(user, PASSWORD);
      change.state = "acknowledged";
      await life.pause(40);
    }
  } catch (error) {
    await life.pause(1000);
    if (!life.hasEnded() && !life.isTroubled) ledger.problem(`registration: ${String(error)}`);
  } finally {
    registrar.close();
  }
}
