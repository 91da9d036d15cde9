// Stores that fail while the server runs, and are well again later: what cannot be kept is refused, nothing that was acknowledged is lost,
// and the server recovers without being started again.
import { setTimeout as delay } from "node:timers/promises";
import type { StoreFaultMode } from "./failpoints.js";
import { Client } from "./client.js";
import { recipientsIn, sayTo, type Scene, withRole } from "./members.js";

export interface Trouble {
  readonly name: string;
  /** The most pages of the database file. */
  readonly maxPages?: number;
  /** Further settings in the section `[storage]`. */
  readonly settings?: string;
  /** Accounts beside the cast. */
  readonly users?: readonly string[];
  /** Whether stanzas must be refused, or none may be. */
  readonly refuses: boolean;
  /** Makes the trouble under load, and ends it. */
  readonly make: (scene: Scene) => Promise<void>;
}

const QUIET_MS = 400; // of load before and after
const FAULT_MS = 1500;
const STALL_MS = 10_000;
const HEALTH_MS = 8000; // the store's own patience, and that of /health
/** Of SQLite's 4 KiB: room for the cast and some hundred messages. */
const FEW_PAGES = 700;
const LARGE = 2500; // a message of some 20 KB
const HOARD = 60;
const ROOM_MS = 2000; // for the slices behind the first ones
const MAX_TRIES = 400;
/** Messages of each sender that a store which is well again must take. */
const AFTERWARDS = 10;

export const TROUBLES: readonly Trouble[] = [
  { name: "refuses all", refuses: true, make: (scene) => during(scene, "refuses", FAULT_MS) },
  {
    name: "writes and does not say so",
    refuses: false,
    make: (scene) => during(scene, "forgets the answer", FAULT_MS),
  },
  { name: "stalls for 10 s", refuses: false, make: (scene) => during(scene, "stalls", STALL_MS) },
  { name: "is full", refuses: true, maxPages: FEW_PAGES, users: ["hoarder"], make: fillUp },
];

/** Longer than the server has patience for: who waits is let go, what comes then is refused. */
export const LONG_TROUBLES: readonly Trouble[] = [
  {
    name: "stalls for 10 s, with a patience of 3",
    settings: 'timeout = "3s"\n',
    refuses: true,
    make: (scene) => during(scene, "stalls", STALL_MS),
  },
];

async function during(scene: Scene, mode: StoreFaultMode, ms: number): Promise<void> {
  const { server } = scene.life;
  await delay(QUIET_MS);
  scene.life.isTroubled = true;
  server.tell({ do: "fault", mode });
  await Promise.all([delay(ms), healthIs(503, scene)]);
  server.tell({ do: "fault", mode: "none" });
  await Promise.all([delay(QUIET_MS), healthIs(200, scene)]);
}

/** Whoever watches the server is told within seconds that its store fails, and that it is well again. */
async function healthIs(status: number, { life, ledger }: Pick<Scene, "life" | "ledger">): Promise<void> {
  for (const deadline = Date.now() + HEALTH_MS; Date.now() < deadline; await delay(100))
    if ((await life.server.health()) === status) return;
  ledger.problem(`/health did not become ${status}`);
}

/** Somebody's messages fill the disk; then that account is removed, and there is room again. */
async function fillUp({ life, members, ledger }: Scene): Promise<void> {
  const hoarder = new Client("hoarder", ledger, false);
  const [sender, other] = withRole(members, "sender");
  const [away] = withRole(members, "away");
  if (!sender || !other || !away) throw new Error("nobody to fill the disk with");
  for (let n = 0; n < HOARD; n++) {
    sender.client.say(hoarder.bare, "bare", LARGE);
    await sender.client.room(8);
  }
  life.isTroubled = true;
  for (let n = 0; n < MAX_TRIES && ledger.tally(false).refused < 5; n++) {
    other.client.say(away.client.bare, "bare", LARGE);
    await other.client.room(4);
  }
  await hoarder.connect(life.server.address);
  await hoarder.caughtUp();
  const remove = "<query xmlns='jabber:iq:register'><remove/></query>";
  const answer = await hoarder.ask((id) => `<iq type='set' id='${id}'>${remove}</iq>`);
  if (answer !== undefined && answer.attributes.get("type") !== "result")
    ledger.problem("no account can be removed from a full store");
  await hoarder.closed();
  life.finish(); // what an erased account leaves is taken out in slices: there is room soon, not at once
  await healthIs(200, { life, ledger });
  await delay(ROOM_MS);
}

/** The server takes everything again, without having been started again. */
export async function isWell({ life, members, ledger, dice }: Scene): Promise<void> {
  const before = ledger.tally(false).refused;
  for (const { client } of withRole(members, "sender")) {
    if (!client.isOpen) await client.connect(life.server.address);
    for (let n = 0; n < AFTERWARDS; n++) sayTo(client, dice.oneOf(recipientsIn(members)), dice);
    await client.room(1);
  }
  const refused = ledger.tally(false).refused - before;
  if (refused > 0) ledger.problem(`the store is well again, and ${refused} messages were refused`);
}
