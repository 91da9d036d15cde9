import { describe, expect, it } from "@jest/globals";
import { append, put, unit } from "../contract/samples.js";
import { StoreFault } from "../port.js";
import type { Unit } from "../writes.js";
import { Fates } from "./fates.js";
import { Layers } from "./layers.js";
import type { WriteCommand } from "./link.js";
import type { Answered } from "./reply.js";
import { Sender } from "./sender.js";
import { appendStep, eraseSteps, putStep, type Step } from "./steps.js";

const fault = new StoreFault("failed", "x", "y");
const failed = (fate: "unsent" | "refused" | "unknown" | "oversized", done = 0): Answered => ({ fate, done, fault });
const duplicate = (done: number, index = ""): Answered => ({ fate: "duplicate", done, index });

function stepsOf({ writes }: Unit): readonly Step[] {
  return writes.flatMap((write) => {
    if (write.op === "put") return [putStep(write, [])];
    if (write.op === "append") return [appendStep(write.id, write)];
    return write.op === "erase" ? eraseSteps(write.owner, 0) : [];
  });
}

function layersOf(units: readonly Unit[]): Layers {
  const layers = new Layers();
  units.forEach((each, at) => layers.add(at, stepsOf(each)));
  return layers;
}

/** Sends the units to a server that gives these answers, then succeeds. What it was sent is told as "verb collection count". */
async function sent(units: readonly Unit[], ...answers: readonly Answered[]) {
  const commands: string[] = [];
  const left = [...answers];
  let collisions = 0;
  const send = ({ verb, collection, statements }: WriteCommand): Promise<Answered> => {
    commands.push(`${verb} ${collection} ${statements.length}`);
    return Promise.resolve(left.shift() ?? { fate: "done", done: statements.length, touched: statements.length });
  };
  const layers = layersOf(units);
  const fates = new Fates(units.length, layers.all);
  const ports = {
    send,
    report: () => undefined,
    collided: () => {
      collisions++;
    },
  };
  await new Sender(ports, fates).sendAll(layers.all);
  return { commands, outcomes: fates.outcomes, collisions };
}

const message = (id: number) => unit(append("romeo", id), append("juliet", id));
const note = (key: string) => unit(put("a", key));

describe("units as commands", () => {
  it("many units share few commands: a hundred statements in each @2.5", async () => {
    const units = Array.from({ length: 150 }, (_, at) => message(at + 1));
    const { commands, outcomes } = await sent(units);
    expect(commands).toEqual(["insert log 100", "insert log 100", "insert log 100"]);
    expect(new Set(outcomes)).toEqual(new Set(["done"]));
  });

  it("large stanzas make small commands @2.5", async () => {
    const stanza = append("a", 1).entry.stanza.padEnd(1_500_000, " ") as ReturnType<typeof append>["entry"]["stanza"];
    const units = [1, 2, 3].map((id) => unit(append("a", id, { stanza })));
    expect((await sent(units)).commands).toEqual(["insert log 2", "insert log 1"]);
  });

  it("a unit's own order is kept across collections, while others share its commands @2.5", async () => {
    const units = [
      message(1),
      unit(put("a", "n"), append("a", 2)),
      note("m"),
      unit({ op: "erase", owner: "b" }, put("b", "n")),
    ];
    expect((await sent(units)).commands).toEqual([
      "insert log 2",
      "update documents 2",
      "insert log 1",
      "update erased 1",
      "delete cursors 1",
      "delete documents 1",
      "update documents 1",
    ]);
  });

  it("a conditional write goes alone, and one that touches nothing is a conflict @2.5", async () => {
    const units = [note("1"), unit({ ...put("a", "2"), ifVersion: 4 }), note("3")];
    const missed: Answered = { fate: "done", done: 1, touched: 0 };
    const { commands, outcomes } = await sent(units, { fate: "done", done: 1, touched: 1 }, missed);
    expect(commands).toEqual(["update documents 1", "update documents 1", "update documents 1"]);
    expect(outcomes).toEqual(["done", "conflict", "done"]);
  });
});

describe("outcomes, one per unit", () => {
  it("a refused statement refuses its unit, and the others go on behind it @2.5", async () => {
    const { commands, outcomes } = await sent([note("1"), note("2"), note("3")], failed("refused", 1));
    expect([commands, outcomes]).toEqual([
      ["update documents 3", "update documents 1"],
      ["done", "refused", "done"],
    ]);
  });

  it("what is left of a refused unit is not sent; what is in the store already leaves it in doubt @2.5", async () => {
    const { commands, outcomes } = await sent([message(1), message(2)], failed("refused", 1));
    expect([commands, outcomes]).toEqual([
      ["insert log 4", "insert log 2"],
      ["unknown", "done"],
    ]);
  });

  it("an entry that is there already is done @2.5", async () => {
    const { commands, outcomes } = await sent([message(1), message(2)], duplicate(1, "owner,id"));
    expect([commands, outcomes]).toEqual([
      ["insert log 4", "insert log 2"],
      ["done", "done"],
    ]);
  });

  it("a claim that meets a document is a conflict @2.5", async () => {
    const claim = unit({ ...put("a", "n"), ifAbsent: true });
    expect((await sent([claim, note("m")], duplicate(0, "_id"))).outcomes).toEqual(["conflict", "done"]);
  });

  it("an upsert that met another one is sent again, not for ever @2.5", async () => {
    const once = await sent([note("1"), note("2")], duplicate(1, "_id"));
    expect([once.commands, once.outcomes]).toEqual([
      ["update documents 2", "update documents 1"],
      ["done", "done"],
    ]);
    const always = await sent([note("1"), note("2")], ...Array.from({ length: 4 }, () => duplicate(0, "_id")));
    expect(always.outcomes).toEqual(["refused", "done"]);
  });

  it("without a server everything is refused, but for what is half in the store @2.5", async () => {
    expect((await sent([message(1), note("n")], failed("unsent"))).outcomes).toEqual(["refused", "refused"]);
    const half = [unit(append("a", 1), put("a", "n")), note("m")];
    const ok: Answered = { fate: "done", done: 1, touched: 1 };
    expect((await sent(half, ok, failed("unsent"))).outcomes).toEqual(["unknown", "refused"]);
  });

  it("after a lost connection nothing more is sent, and all that is not known to be done is unknown @2.5", async () => {
    const units = [note("1"), note("2"), message(3)];
    const { commands, outcomes } = await sent(units, failed("unknown", 1));
    expect([commands, outcomes]).toEqual([["update documents 2"], ["done", "unknown", "unknown"]]);
  });

  it("of statements that are too large together, each is tried alone @2.5", async () => {
    const { commands, outcomes } = await sent(
      [note("1"), note("2"), note("3")],
      failed("oversized"),
      { fate: "done", done: 1, touched: 1 },
      failed("oversized"),
    );
    expect(commands).toEqual(["update documents 3", ...Array.from({ length: 3 }, () => "update documents 1")]);
    expect(outcomes).toEqual(["done", "refused", "done"]);
  });

  it("a running number that is taken is told, and the batch is to be sent again @2.5", async () => {
    const { outcomes, collisions } = await sent([message(1), note("n")], duplicate(0, "_id"));
    expect([outcomes, collisions]).toEqual([["unknown", "unknown"], 1]);
  });

  it("nothing to write is done", async () => {
    expect((await sent([unit(), note("1")])).outcomes).toEqual(["done", "done"]);
  });
});
