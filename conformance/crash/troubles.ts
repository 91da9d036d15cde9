// Stores that fail while the server runs, and are well again later: what cannot be kept is refused, nothing that was acknowledged is lost,
// and the server recovers without being started again.
import { setTimeout as delay } from "node:timers/promises";
import { connect, type Database } from "#rookery/storage/sqlite/engine.js";
import type { StoreFaultMode } from "./failpoints.js";
import { enter, isIn, makePersistent } from "./rooms.js";
import { recipientsIn, sayTo, type Scene, withRole } from "./members.js";

export interface Trouble {
  readonly name: string;
  /** The most pages of the database file. */
  readonly maxPages?: number;
  /** Further settings in the section `[storage]`. */
  readonly settings?: string;
  /** Whether stanzas must be refused, or none may be. */
  readonly refuses: boolean;
  /** Makes the trouble under load, and ends it. */
  readonly make: (scene: Scene) => Promise<void>;
}

const QUIET_MS = 400; // of load before and after
const FAULT_MS = 1500;
const STALL_MS = 10_000;
const HEALTH_MS = 8000; // the store's own patience, and that of /health
/** Of SQLite's 4 KiB: room for a load of normal length. */
const MAX_PAGES = 4000;
const PAGE_BYTES = 4096;
const BUSY_MS = 5000;
const LARGE = 2500; // a message of some 20 KB
const MAX_TRIES = 400;
const REFUSED = 5;
/** Messages of each sender that a store which is well again must take. */
const AFTERWARDS = 10;
/** A room that they make then. */
const RELIEF = "relief@conference.localhost";

export const TROUBLES: readonly Trouble[] = [
  { name: "refuses all", refuses: true, make: (scene) => during(scene, "refuses", FAULT_MS) },
  {
    name: "writes and does not say so",
    refuses: false,
    make: (scene) => during(scene, "forgets the answer", FAULT_MS),
  },
  { name: "stalls for 10 s", refuses: false, make: (scene) => during(scene, "stalls", STALL_MS) },
  { name: "is full", refuses: true, maxPages: MAX_PAGES, make: fillUp },
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

/** Something else takes all the room that the server has, and gives it back. */
async function fillUp(scene: Scene): Promise<void> {
  const { life, members, ledger } = scene;
  const [sender] = withRole(members, "sender");
  const [away] = withRole(members, "away");
  if (!sender || !away) throw new Error("nobody to fill the disk with");
  await delay(QUIET_MS);
  life.isTroubled = true;
  const other = connect(life.server.database, { timeout: BUSY_MS });
  try {
    takeRoom(other);
    const before = ledger.tally(false).refused;
    for (let n = 0; n < MAX_TRIES && ledger.tally(false).refused < before + REFUSED; n++) {
      sender.client.say(away.client.bare, "bare", LARGE);
      await sender.client.room(4);
    }
    await healthIs(503, scene);
    other.exec("DROP TABLE filler");
  } finally {
    other.close();
  }
  await Promise.all([delay(QUIET_MS), healthIs(200, scene)]);
}

/** So many pages that the server, whose share is limited, may add none. */
function takeRoom(database: Database): void {
  database.exec(`CREATE TABLE filler AS SELECT zeroblob(${MAX_PAGES * PAGE_BYTES}) AS bytes`);
}

/** The server takes everything again, without having been started again. */
export async function isWell({ life, members, ledger, dice }: Scene): Promise<void> {
  const before = ledger.tally(false).refused;
  for (const { client } of withRole(members, "sender")) {
    if (!client.isOpen) await client.connect(life.server.address);
    for (let n = 0; n < AFTERWARDS; n++) sayTo(client, dice.oneOf(recipientsIn(members)), dice);
    await client.room(1);
    enter(client, RELIEF);
    if (!(await isIn(client, RELIEF))) ledger.problem(`${client.bare} cannot enter a room`);
    await makePersistent(client, RELIEF); // the first of them, who made it, opens it to the others
  }
  const refused = ledger.tally(false).refused - before;
  if (refused > 0) ledger.problem(`the store is well again, and ${refused} messages were refused`);
}
