import { describe, expect, it } from "@jest/globals";
import { Ledger, type Via } from "./ledger.js";

const [romeo, juliet] = ["romeo@localhost", "juliet@localhost"];

/** A ledger in which romeo has sent juliet so many messages; their ids. */
function sent(count: number) {
  const ledger = new Ledger();
  const ids = Array.from({ length: count }, () => ledger.message(romeo, juliet).id);
  const receive = (id = "", via: Via = "live", session = "login 1", stanzaId?: string): void =>
    ledger.received(id, { account: juliet, session, via, stanzaId });
  return { ledger, ids, receive };
}

describe("the ledger of the crash suite", () => {
  it("misses what was acknowledged and never received, and nothing else @2.show1", () => {
    const { ledger, ids, receive } = sent(3);
    for (const id of ids) ledger.acknowledged(id, "h");
    receive(ids[0]);
    receive(ids[2], "archive");
    expect(ledger.tally(true)).toMatchObject({ acknowledged: 3, received: 2, lost: [`${ids[1]} (acknowledged by h)`] });
  });

  it("misses no message that was never acknowledged, or refused @2.show1", () => {
    const { ledger, ids } = sent(2);
    ledger.refused(ids[1] ?? "", "resource-constraint");
    expect(ledger.tally(true)).toMatchObject({ lost: [], open: 1, refused: 1 });
  });

  it("excuses what went to a session without 0198 while nothing is archived, but not what had to be stored @2.show1", () => {
    const { ledger } = sent(0);
    ledger.arrives(juliet);
    const live = ledger.message(romeo, juliet).id;
    ledger.acknowledged(live, "order");
    ledger.leaves(juliet);
    const stored = ledger.message(romeo, juliet).id;
    ledger.acknowledged(stored, "order");
    expect(ledger.tally(false)).toMatchObject({ excused: 1, lost: [`${stored} (acknowledged by order)`] });
    expect(ledger.tally(true).lost).toHaveLength(2);
    ledger.arrives(juliet);
    ledger.cut(juliet);
    expect(ledger.tally(false)).toMatchObject({ excused: 2, lost: [] });
  });

  it("notices an order that is broken in one session, and lets a session have its messages once more @2.show1", () => {
    const { ledger, ids, receive } = sent(3);
    for (const id of [ids[0], ids[1], ids[0], ids[1], ids[2]]) receive(id);
    expect(ledger.tally(true)).toMatchObject({ disorder: [], again: 2 });
    for (const id of [ids[1], ids[0]]) receive(id, "archive", "archive of juliet");
    expect(ledger.tally(true).disorder).toEqual([`${ids[0]} came after number 2 (archive of juliet)`]);
  });

  it("excuses, without an archive, the place of one that a broken connection may have taken @2.show1", () => {
    const { ledger, ids, receive } = sent(3);
    ledger.arrives(juliet);
    receive(ids[1]);
    ledger.cut(juliet);
    receive(ids[0]);
    expect([false, true].map((isArchived) => ledger.tally(isArchived).disorder.length)).toEqual([0, 2]);
    receive(ids[2]);
    const late = ledger.message(romeo, juliet).id;
    const last = ledger.message(romeo, juliet).id;
    for (const id of [last, late]) receive(id);
    expect(ledger.tally(false).disorder).toHaveLength(2); // in the session, and of all
  });

  it("excuses, without an archive, the place of a copy that was sent again, but not that of the first @2.show1", () => {
    const { ledger, ids, receive } = sent(2);
    receive(ids[0]);
    ledger.sentAgain(ids[0] ?? "");
    for (const id of [ids[1], ids[0]]) receive(id, "offline", "login 2");
    expect([false, true].map((isArchived) => ledger.tally(isArchived).disorder.length)).toEqual([0, 1]);
    const late = ledger.message(romeo, juliet).id;
    const last = ledger.message(romeo, juliet).id;
    ledger.sentAgain(late);
    for (const id of [last, late]) receive(id, "live", "login 2");
    expect(ledger.tally(false).disorder).toHaveLength(2); // in the session, and of all
  });

  it("lets what goes to a resource come before what was stored, but not in an archive @2.show1", () => {
    const { ledger, ids, receive } = sent(1);
    const full = ledger.message(romeo, juliet, `${juliet}/balcony`).id;
    for (const id of [full, ids[0]]) receive(id);
    expect(ledger.tally(true).disorder).toEqual([]);
    for (const id of [full, ids[0]]) receive(id, "archive", "archive of juliet");
    expect(ledger.tally(true).disorder).toHaveLength(1);
  });

  it.each([
    ["a message nobody sent", (ledger: Ledger) => ledger.received("m.x", receipt("s1"))],
    [
      "somebody else's message",
      (ledger: Ledger, id: string) => ledger.received(id, { ...receipt("s1"), account: romeo }),
    ],
    ["a message that was refused", (ledger: Ledger, id: string) => ledger.refused(id, "resource-constraint")],
    ["a second entry in a log", (ledger: Ledger, id: string) => ledger.doubled(juliet, id, 2)],
  ])("has a problem with %s", (_, happens) => {
    const { ledger, ids, receive } = sent(1);
    receive(ids[0], "live", "login 1", "s1");
    expect(ledger.tally(true).problems).toEqual([]);
    happens(ledger, ids[0] ?? "");
    expect(ledger.tally(true).problems).toHaveLength(1);
  });

  it("notices a copy with another id of the archive @2.show1", () => {
    const { ledger, ids, receive } = sent(1);
    for (const stanzaId of ["s1", "s1", undefined, "s2"]) receive(ids[0], "live", "login 1", stanzaId);
    expect(ledger.tally(true).renamed).toEqual([`${ids[0]} has stanza-id s1, and s2 in login 1`]);
  });

  const receipt = (stanzaId: string) => ({ account: juliet, session: "login 1", via: "live" as const, stanzaId });

  it.each([
    ["the last acknowledged value", "two", true],
    ["one that was asked for later and not answered", "three", true],
    ["an older one", "one", false],
    ["one that was refused", "four", false],
    ["none at all", "", false],
  ])("after changes, %s is %j: is that well? %s @2.show1", (_, value, isWell) => {
    const ledger = new Ledger();
    for (const [now, state] of [
      ["one", "acknowledged"],
      ["two", "acknowledged"],
      ["three", "open"],
      ["four", "refused"],
    ] as const)
      ledger.change(romeo, "vcard", now).state = state;
    ledger.observed(romeo, "vcard", value);
    expect(ledger.tally(true).lostChanges).toHaveLength(isWell ? 0 : 1);
  });

  it("counts it as a loss when the server no longer knows what it had acknowledged @2.show1", () => {
    const ledger = new Ledger();
    ledger.forgotten("romeo@localhost: h went from 5 to 4");
    expect(ledger.tally(true).lost).toEqual(["romeo@localhost: h went from 5 to 4"]);
  });
});
