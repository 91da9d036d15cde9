// Rooms are loaded when they are needed: how many there are changes nothing for the start, nor for whoever enters one.
import { expect, it } from "@jest/globals";
import { STORES } from "../features.js";
import { JID } from "../stanza/jid.js";
import type { FailingStorage } from "../storage/contract/faults.js";
import { MemoryDisk } from "../storage/memory/disk.js";
import { openMemory } from "../storage/memory/memory.js";
import { coven, ROOM } from "./coven.test.kit.js";
import { DEFAULT_CONFIG } from "./config.js";
import { putRoom } from "./documents.js";
import { NO_ROOM } from "./state.js";
import { isPersistent } from "./parts/persistence.js";

const MANY = 100_000;
const READS = ["load", "get", "list", "find", "log", "countLog", "logOwners", "measure"] as const;

/** A store with so many rooms, the coven's among them. */
async function stored(rooms: number): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const config = isPersistent.set(DEFAULT_CONFIG, true);
  const addresses = [ROOM, ...Array.from({ length: rooms - 1 }, (_, n) => `room${n}@conference.localhost`)];
  const writes = addresses.map((address) => putRoom(JID.parse(address), { ...NO_ROOM, exists: true, config }));
  await openMemory(STORES, disk).commit([{ writes }]);
  return disk;
}

/** Notes what is read, in short. */
function noting(storage: FailingStorage, reads: string[]): void {
  for (const name of READS) {
    const read = storage[name].bind(storage) as (...asked: unknown[]) => Promise<never>;
    storage[name] = (...asked: unknown[]) => {
      reads.push(`${name} ${JSON.stringify(asked)}`);
      return read(...asked);
    };
  }
}

async function readsWith(rooms: number) {
  const start: string[] = [];
  const all = await coven({ disk: await stored(rooms), watch: (storage) => noting(storage, start) });
  await all.world.core.begin();
  const begun = start.splice(0);
  await all.hag.enters("hag");
  expect(all.hag.heard).toEqual(["hag enters 110 170", "subject: "]);
  return { begun, entering: start };
}

it("a server with 100,000 stored rooms reads for its start, and for who enters one, what one with a single room does @3.2", async () => {
  const [many, one] = [await readsWith(MANY), await readsWith(1)];
  expect(many).toEqual(one);
  const removals = 'list ["room_departure",{"limit":100}]'; // accounts that were just being removed
  expect(many.begun.filter((read) => read.includes("room"))).toEqual([removals]);
  expect(many.entering.filter((read) => read.includes(ROOM))).toHaveLength(2); // its documents, and its latest messages
});
