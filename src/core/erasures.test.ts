import { describe, expect, it } from "@jest/globals";
import { StoreFault } from "../storage/port.js";
import { Erasures } from "./erasures.js";
import { FakeClock } from "./fake-clock.js";
import { silentLog } from "./log.js";

/** A store with so many slices to discard, which a test can hold up or have fail. */
class Leftovers {
  slices: number;
  fails = false;
  asked = 0;
  hold: Promise<void> = Promise.resolve();

  constructor(slices: number) {
    this.slices = slices;
  }

  async discard(): Promise<boolean> {
    this.asked++;
    const more = this.slices > 0;
    if (this.fails) throw new StoreFault("failed", "a scratch", "get another disk");
    if (more) this.slices--;
    await this.hold;
    return more;
  }
}

const settled = () => new Promise<void>((resolve) => void setImmediate(resolve));

function world(slices: number) {
  const storage = new Leftovers(slices);
  const clock = new FakeClock(0);
  return { storage, clock, erasures: new Erasures({ storage, clock, log: silentLog }) };
}

describe("what erased accounts left behind", () => {
  it("is discarded slice by slice until nothing is left @2.3", async () => {
    const { storage, erasures } = world(5);
    await erasures.finished();
    expect([storage.slices, storage.asked]).toEqual([0, 6]);
  });

  it("is looked for once more where something is erased while the last slice is on its way @2.3", async () => {
    const { storage, erasures } = world(0);
    let go = () => undefined as void;
    storage.hold = new Promise((resolve) => (go = resolve));
    erasures.begin();
    await settled();
    storage.slices = 2;
    const finished = erasures.finished();
    go();
    await finished;
    expect(storage.slices).toBe(0);
  });

  it("is left for the next start when the server stops, after the slice under way @2.3", async () => {
    const { storage, erasures } = world(1000);
    let go = () => undefined as void;
    storage.hold = new Promise((resolve) => (go = resolve));
    erasures.begin();
    await settled();
    const stopped = erasures.stop();
    go();
    await stopped;
    expect(storage.slices).toBe(999);
  });

  it("is taken up again a minute after the store failed, and who waits for the end is told @2.3", async () => {
    const { storage, clock, erasures } = world(3);
    storage.fails = true;
    await expect(erasures.finished()).rejects.toThrow("a scratch");
    erasures.begin();
    await settled();
    storage.fails = false;
    clock.advance(10_000);
    await settled();
    expect(storage.slices).toBe(0);
  });
});
