import { describe, expect, it } from "@jest/globals";
import { StoreFault } from "../port.js";
import { type IndexedWriter, Indexing } from "./indexing.js";

const SLICE = 100;

/** A writer that answers in turns of the event loop, and notes what it is asked. */
class FakeWriter implements IndexedWriter {
  asked: ("index" | "turn")[] = [];
  last = 0;
  position = 0;
  fault: StoreFault | undefined;
  onTurn: () => void = () => undefined;

  index(): Promise<{ position: number; last: number }> {
    this.asked.push("index");
    if (this.fault) return Promise.reject(this.fault);
    this.position = Math.min(this.last, this.position + SLICE);
    return Promise.resolve({ position: this.position, last: this.last });
  }

  turn(): Promise<void> {
    this.asked.push("turn");
    this.onTurn();
    return Promise.resolve();
  }

  get slices(): number {
    return this.asked.filter((what) => what === "index").length;
  }
}

function made() {
  const writer = new FakeWriter();
  const faults: unknown[] = [];
  const indexing = new Indexing(writer, (fault) => faults.push(fault));
  const commit = (entries: number) => {
    const end = indexing.begin(entries);
    writer.last += entries;
    return end;
  };
  return { writer, indexing, commit, faults };
}

/** Until nothing more happens: all promises here are resolved ones. */
const settled = async () => {
  for (let n = 0; n < 200; n++) await Promise.resolve();
};

describe("indexing behind the commit", () => {
  it("waits until enough entries have come, then works them off in slices when it is quiet @2.2", async () => {
    const { writer, commit } = made();
    commit(200)();
    await settled();
    expect(writer.asked).toEqual([]);
    commit(200)();
    await settled();
    expect(writer.slices).toBe(2); // fewer than 256 are left then
    expect(writer.asked.slice(0, 4)).toEqual(["turn", "turn", "turn", "index"]);
  });

  it("does nothing between commits that follow each other, and seldom asks @2.2", async () => {
    const { writer, commit } = made();
    let next: (() => void) | undefined;
    writer.onTurn = () => (next ??= commit(0));
    commit(1000)();
    await settled();
    expect(writer.slices).toBe(0);
    writer.onTurn = () => undefined;
    writer.asked = [];
    next?.();
    for (let n = 0; n < 16; n++) {
      await settled();
      expect(writer.asked).toEqual([]);
      commit(0)();
    }
    await settled();
    expect(writer.slices).toBeGreaterThan(5);
  });

  it("takes its share all the same when far too many wait @2.2", async () => {
    const { writer, commit } = made();
    writer.onTurn = () => commit(0)();
    commit(200_300)();
    await settled();
    expect(writer.slices).toBe(4);
  });

  it("catches up before a search with what was there then, however much comes meanwhile @2.2", async () => {
    const { writer, indexing } = made();
    writer.last = 250;
    const index = writer.index.bind(writer);
    writer.index = () => {
      writer.last += SLICE;
      return index();
    };
    await indexing.catchUp();
    expect(writer.slices).toBe(4);
    expect(writer.position).toBeGreaterThanOrEqual(250);
  });

  it("that fails is told once, and tried again when as many have come again, or by a search @2.2", async () => {
    const { writer, indexing, commit, faults } = made();
    writer.fault = new StoreFault("full", "no space left", "free some");
    commit(300)();
    await settled();
    for (let n = 0; n < 5; n++) commit(10)();
    await settled();
    expect(faults).toEqual([writer.fault]);
    await expect(indexing.catchUp()).rejects.toBe(writer.fault);
    writer.fault = undefined;
    await indexing.catchUp();
    expect(writer.position).toBe(350);
  });
});
