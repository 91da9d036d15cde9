// Contract rules of full text: which entries a search finds, and that what is revised or removed is not found any more.
import { expect, it } from "@jest/globals";
import { type Wire, toWire } from "../../xml/wire.js";
import type { LogQuery } from "../port.js";
import type { Unit } from "../writes.js";
import { append, entry, remove, unit } from "./samples.js";
import type { Bench } from "./suite.js";

const said = (owner: string, id: number, text: string, more: { hidden?: boolean; pending?: boolean } = {}) =>
  unit({ op: "append", owner, id, entry: entry(text, more) });
const stanza = (content: string): Wire => toWire(`<message xmlns='jabber:client'>${content}</message>`);

const HOSTILE: readonly string[] = [
  '"',
  '"unclosed',
  "AND",
  "NOT night",
  "night OR",
  "nig*",
  "night NEAR(falls)",
  "tokens:night",
  "(",
  "2_night",
  "$where",
  "/.*/",
  "%",
  "\ud800",
  "'; DROP TABLE log; --",
];

const SPACELESS: readonly (readonly [text: string, part: string, other: string])[] = [
  ["今天天气很好。", "天气", "天天气好"],
  ["ミーティングは明日です", "明日", "今日"],
  ["회의는 내일입니다", "내일", "오늘"],
  ["สวัสดีชาวโลก", "ชาวโลก", "ชาวดี"],
];

export function searchRules(bench: Bench): void {
  const commit = (...units: readonly Unit[]) => bench.storage.commit(units);
  const found = async (text: string, more: Partial<LogQuery> = {}, owner = "a") =>
    (await bench.storage.log(owner, { text, limit: 99, ...more })).map((row) => row.id);

  it("finds entries that have all words, however they are written, as soon as they are committed @2.2", async () => {
    await commit(said("a", 1, "Wherefore art thou Romeo?"), said("a", 2, "Romeo, doff thy name!"));
    expect(await found("ROMEO")).toEqual([1, 2]);
    expect(await found("name romeo")).toEqual([2]);
    expect(await found("rome")).toEqual([]);
    await commit(said("a", 3, "ＲＯＭＥＯ &amp; Жюльет — ÉTÉ"));
    expect(await found("romeo")).toEqual([1, 2, 3]);
    expect(await found("жюльет été")).toEqual([3]);
    expect(await bench.storage.countLog("a", { text: "romeo", after: 1 })).toBe(2);
    expect(await found("romeo", { backwards: true, limit: 2 })).toEqual([3, 2]);
  });

  it("finds any part of a sentence without spaces @2.2", async () => {
    await commit(...SPACELESS.map(([text], at) => said("a", at + 1, text)));
    for (const [at, [text, part, other]] of SPACELESS.entries()) {
      expect([part, await found(part)]).toEqual([part, [at + 1]]);
      expect(await found(text.slice(0, 1))).toContain(at + 1);
      expect([other, await found(other)]).toEqual([other, []]);
    }
  });

  it("looks at bodies and subjects in all languages, and at nothing else @2.2", async () => {
    const content = `<subject>plan</subject><body>hello</body><body xml:lang='de'>hallo</body>
      <x xmlns='urn:x'><body>inner</body></x><body xmlns='urn:y'>foreign</body><thread>knot</thread>`;
    await commit(unit({ op: "append", owner: "a", id: 1, entry: entry("", { stanza: stanza(content) }) }));
    for (const word of ["plan", "hello", "hallo", "plan hallo"]) expect([word, await found(word)]).toEqual([word, [1]]);
    for (const word of ["inner", "foreign", "knot", "message", "body", "de"])
      expect([word, await found(word)]).toEqual([word, []]);
  });

  it("never finds what is hidden, of another owner, or written by a unit that was taken back @2.2", async () => {
    await commit(
      said("a", 1, "secret", { hidden: true, pending: true }),
      said("b", 2, "secret"),
      unit(...said("a", 3, "secret").writes, { ...remove("a", "absent"), ifVersion: 1 }),
    );
    expect(await found("secret")).toEqual([]);
    expect(await found("secret", {}, "b")).toEqual([2]);
    expect(await found("secret", {}, "nobody")).toEqual([]);
  });

  it("a revised entry is found by its new words only, whether or not it had been searched before @2.2", async () => {
    await commit(said("a", 1, "old one"), said("a", 2, "old two"));
    expect(await found("old")).toEqual([1, 2]);
    await commit(said("a", 3, "old three"));
    const revise = (id: number, content: string) =>
      unit({ op: "revise", owner: "a", id, stanza: stanza(content) } as const);
    await commit(
      revise(1, "<body>new one</body>"),
      revise(3, "<retracted xmlns='urn:x'/>"),
      revise(77, "<body>old</body>"),
    );
    expect(await found("old")).toEqual([2]);
    expect(await found("new")).toEqual([1]);
    expect(await bench.storage.countLog("a", {})).toBe(3);
  });

  it("revise replaces the stanza of an entry that is there and nothing else of it; a unit taken back does not @2.1", async () => {
    await commit(unit(append("a", 1, { pending: true, originId: "o", resource: "r" })));
    const before = (await bench.storage.log("a", { limit: 1 }))[0];
    const revise = (text: string) => ({ op: "revise", owner: "a", id: 1, stanza: stanza(text) }) as const;
    await commit(unit(revise("tombstone")), unit(revise("lost"), { ...remove("a", "absent"), ifVersion: 1 }));
    expect(await bench.storage.log("a", { limit: 9 })).toEqual([{ ...before, stanza: stanza("tombstone") }]);
    expect(await commit(unit({ ...revise("x"), owner: "nobody" }), unit({ ...revise("x"), id: 2 }))).toEqual([
      "done",
      "done",
    ]);
    expect(await bench.storage.highestId()).toBe(1);
  });

  it("what is purged or erased is not found any more, and what comes in its place is @2.2", async () => {
    await commit(said("a", 1, "gone"), said("a", 2, "gone"), said("b", 3, "gone"));
    expect(await found("gone")).toEqual([1, 2]);
    await bench.storage.purge("a", { before: 2, limit: 9 });
    expect(await found("gone")).toEqual([2]);
    await commit(unit({ op: "erase", owner: "a" }), unit({ op: "erase", owner: "b" }), said("a", 4, "here"));
    expect([await found("gone"), await found("gone", {}, "b"), await found("here")]).toEqual([[], [], [4]]);
    await commit(unit({ op: "erase", owner: "a" }), said("c", 5, "again"), said("c", 6, "again"));
    expect(await found("again", {}, "c")).toEqual([5, 6]);
  });

  it("finds in the order of ids, also where they came in another order @2.2", async () => {
    const late = [50, 10, 40, 20, 30];
    await commit(...late.map((id) => said("a", id, "night")), ...[1, 2, 3, 4].map((id) => said("b", id, "night")));
    expect(await found("night")).toEqual([10, 20, 30, 40, 50]);
    expect(await found("night", { after: 10, before: 50, backwards: true, limit: 2 })).toEqual([40, 30]);
    expect(await found("night", { after: 15, limit: 2 })).toEqual([20, 30]);
    expect(await found("night", { after: 1, before: 4 }, "b")).toEqual([2, 3]);
    expect(await found("night", { before: 99, backwards: true, limit: 1 }, "b")).toEqual([4]);
    await bench.storage.purge("b", { before: 3, limit: 9 });
    expect(await found("night", { after: 2, before: 4 }, "b")).toEqual([3]);
    expect(await found("night", { after: 1 }, "b")).toEqual([3, 4]);
  });

  it("finds over many entries and after a restart exactly those that match @2.2", async () => {
    const words = (n: number) => `every ${n % 2 === 0 ? "even" : "odd"} ${n % 50 === 0 ? "rare" : ""} w${n}`;
    const ids = Array.from({ length: 1000 }, (_, n) => n + 1);
    for (let at = 0; at < 1000; at += 250) await commit(...ids.slice(at, at + 250).map((n) => said("a", n, words(n))));
    await bench.reopen();
    expect(await bench.storage.countLog("a", { text: "every" })).toBe(1000);
    expect(await found("odd every", { limit: 2, after: 500 })).toEqual([501, 503]);
    expect(await found("rare even", { backwards: true, limit: 2 })).toEqual([1000, 950]);
    expect(await found("w777")).toEqual([777]);
    expect(await found("rare odd")).toEqual([]);
  });

  it("text that looks like a query is only words @M9", async () => {
    await commit(said("a", 1, "night falls"), said("b", 2, "night falls"));
    for (const text of HOSTILE) {
      expect([text, await found(text)]).toEqual([text, []]);
      expect(await bench.storage.countLog("a", { text })).toBe(0);
    }
    for (const text of ["^night", "-night", "night\0falls", "night) (falls"])
      expect([text, await found(text)]).toEqual([text, [1]]);
  });

  it("a text without words finds nothing, and a very long one is an ordinary search @M9", async () => {
    await commit(said("a", 1, "to be or not to be"));
    for (const text of ["", "  \t", "!?…", "🐦"]) expect([text, await found(text)]).toEqual([text, []]);
    expect(await found("be ".repeat(100_000))).toEqual([1]);
    expect(await found("\ufdfa".repeat(100_000))).toEqual([]);
    expect(await found("x".repeat(1_000_000))).toEqual([]);
  });

  it("a stanza with more words than are kept, or that is no stanza, is kept as it is @M9", async () => {
    const many = Array.from({ length: 20_000 }, (_, n) => `w${n}`).join(" ");
    const broken = toWire("<message><body>night");
    await commit(said("a", 1, many), unit({ op: "append", owner: "a", id: 2, entry: entry("", { stanza: broken }) }));
    expect(await found("w1 w2")).toEqual([1]);
    expect(await found("night")).toEqual([]);
    expect((await bench.storage.log("a", { after: 1, limit: 1 }))[0]?.stanza).toBe(broken);
  });
}
