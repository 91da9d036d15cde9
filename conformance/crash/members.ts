// Who takes part in a round, and what each does while the server lives: senders, and every kind of receiver there is.
import { setTimeout as delay } from "node:timers/promises";
import { Registrar } from "../servers/registrar.js";
import { changeSomething, subscribe } from "./changes.js";
import { Client, type Login } from "./client.js";
import type { Ledger } from "./ledger.js";
import { PASSWORD } from "./login.js";
import type { CrashServer } from "./process.js";
import type { Dice } from "./random.js";

export type Role = "sender" | "online" | "coming and going" | "hibernating" | "offline" | "quiet";

export interface Member {
  readonly role: Role;
  readonly client: Client;
  /** Quiet, and the server knows how far it is (`<a/>`). */
  isQuiet: boolean;
}

/** One life of the server, as the members see it. */
export interface Life {
  readonly server: CrashServer;
  /** Nobody begins anything new any more. */
  isOver: boolean;
}

/** What came of resuming sessions. */
export interface Resumptions {
  tried: number;
  done: number;
}

const WINDOW = 24; // stanzas a sender has open at most
const BURST = 6;
/** Messages of one sender in one life: keeps a round within seconds on any machine. */
const MAX_SENT = 400;

export function cast(ledger: Ledger): readonly Member[] {
  const member = (role: Role, name: string, wantsManagement: boolean): Member => ({
    role,
    client: new Client(name, ledger, wantsManagement),
    isQuiet: false,
  });
  return [
    member("sender", "sender1", false),
    member("sender", "sender2", true),
    member("sender", "sender3", false),
    member("sender", "sender4", true),
    member("online", "plain", false),
    member("online", "managed", true),
    member("coming and going", "restless", false),
    member("hibernating", "hibernating", true),
    member("offline", "away1", false),
    member("offline", "away2", true),
    ...["quiet1", "quiet2", "quiet3", "quiet4"].map((name) => member("quiet", name, true)),
  ];
}

/** Lives until the life is over or the server is gone; a session that the server ends is begun again. */
export async function live(member: Member, life: Life, others: readonly Member[], dice: Dice, ledger: Ledger) {
  while (!isOver(life)) {
    try {
      await behave(member, life, others, dice, ledger);
    } catch (error) {
      await Promise.race([delay(1000), life.server.ended]);
      if (!life.server.hasEnded()) ledger.problem(`${member.client.bare}: ${String(error)}`);
    }
  }
}

/** Every login goes through here, so that each attempt to resume is counted once. */
export async function connect({ client, isQuiet }: Member, { server }: Life, resumed: Resumptions): Promise<Login> {
  const counts = isQuiet && client.isResumable;
  const login = await client.connect(server.address);
  if (counts) resumed.tried++;
  if (counts && login === "resumed") resumed.done++;
  return login;
}

async function behave(member: Member, life: Life, others: readonly Member[], dice: Dice, ledger: Ledger) {
  const { client, role } = member;
  if (role === "offline") return life.server.ended;
  if (!client.isOpen) await client.connect(life.server.address);
  switch (role) {
    case "sender":
      return sending(member, life, others, dice, ledger);
    case "online":
      return client.closed();
    case "coming and going":
      await pause(dice.between(20, 150), life);
      await client.leave();
      return pause(dice.between(10, 60), life);
    case "hibernating":
      await pause(dice.between(50, 300), life);
      await client.drop();
      return life.server.ended;
    case "quiet":
      member.isQuiet = false;
      client.say(client.bare, "bare", 1);
      await client.caughtUp();
      member.isQuiet = await client.settled();
      return client.closed();
    default:
      role satisfies never;
  }
}

async function sending({ client }: Member, life: Life, others: readonly Member[], dice: Dice, ledger: Ledger) {
  const recipients = others.filter(({ role }) => role !== "sender" && role !== "quiet").map((one) => one.client.bare);
  subscribe(client, ledger, dice.oneOf(recipients));
  for (let sent = 0; sent < MAX_SENT && client.isOpen && !isOver(life); ) {
    for (let more = dice.between(1, BURST); more > 0; more--, sent++) {
      if (dice.happens(20)) changeSomething(client, ledger, dice, dice.below(1_000_000));
      else sayTo(client, dice.oneOf(recipients), dice);
    }
    client.request();
    await client.room(WINDOW);
    await pause(dice.below(5), life);
  }
  await client.room(1);
  if (!life.isOver) await client.closed();
}

/** To the bare JID, to the resource, or a message without type; a few are large. */
export function sayTo(client: Client, recipient: string, dice: Dice): void {
  const form = dice.oneOf(["bare", "bare", "full", "normal"] as const);
  client.say(recipient, form, dice.happens(3) ? dice.between(500, 3000) : dice.between(1, 40));
}

/** Makes accounts one after the other for as long as the server lives; each that was confirmed must be there afterwards. */
export async function registering(life: Life, ledger: Ledger, name: string): Promise<void> {
  const registrar = new Registrar(life.server.address);
  try {
    for (let number = 1; !isOver(life); number++) {
      const user = `${name}-${number}`;
      const change = ledger.change(`${user}@${life.server.address.domain}`, "account", "made");
      await registrar.create(user, PASSWORD);
      change.state = "acknowledged";
      await pause(40, life);
    }
  } catch (error) {
    await Promise.race([delay(1000), life.server.ended]);
    if (!life.server.hasEnded() && !life.isOver) ledger.problem(`registration: ${String(error)}`);
  } finally {
    registrar.close();
  }
}

function isOver({ server, isOver }: Life): boolean {
  return isOver || server.hasEnded();
}

async function pause(ms: number, { server }: Life): Promise<void> {
  await Promise.race([delay(ms), server.ended]);
}
