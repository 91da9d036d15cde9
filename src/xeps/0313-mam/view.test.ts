// Pages of random archives, held against a model that knows nothing but the list.
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { idToText } from "../../core/ids.js";
import { timestamp } from "../../stanza/delay.js";
import { StanzaError } from "../../stanza/errors.js";
import { after, archiveOf, type Asked, before, idAt, type Kept, pageOf, START } from "./archive.test.kit.js";
import type { ArchivePage, ArchiveView } from "./view.js";

const PEOPLE = ["romeo@a", "nurse@a", "juliet@localhost"];
const RESOURCES = ["x", "y"];
const WORDS = ["love", "rose", "night"];
const SPAN_MS = 12; // few milliseconds, so that many entries are of the same one

const entries = fc
  .uniqueArray(
    fc.record({
      at: fc.tuple(fc.nat(SPAN_MS), fc.nat(3)),
      with: fc.constantFrom(...PEOPLE),
      resource: fc.constantFrom(...RESOURCES),
      body: fc.subarray(WORDS).map((words) => words.join(" ")),
      hidden: fc.boolean(),
    }),
    { selector: ({ at }) => at.join(), maxLength: 40 },
  )
  .map((drawn) =>
    drawn.map(({ at: [ms, nth], ...rest }): Kept => ({ id: idAt(ms, nth), ...rest })).sort((a, b) => a.id - b.id),
  );

interface Filter {
  readonly with?: string | undefined;
  readonly resource?: string | undefined;
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  readonly text?: string | undefined;
}

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const filters: fc.Arbitrary<Filter> = fc.record({
  with: maybe(fc.constantFrom(...PEOPLE)),
  resource: maybe(fc.constantFrom(...RESOURCES)),
  start: maybe(fc.integer({ min: -2, max: SPAN_MS + 2 })),
  end: maybe(fc.integer({ min: -2, max: SPAN_MS + 2 })),
  text: maybe(fc.constantFrom(...WORDS)),
});

/** The list that a filter means, as the specification says it. */
function listOf(all: readonly Kept[], filter: Filter, newestFirst: boolean): Kept[] {
  const list = all.filter((entry) => {
    const ms = Math.floor(entry.id / 1024) - START;
    if (entry.hidden) return false;
    if (filter.with !== undefined && entry.with !== filter.with) return false;
    const toSelf = filter.with === "juliet@localhost";
    if (filter.with !== undefined && filter.resource !== undefined && !toSelf && entry.resource !== filter.resource)
      return false;
    if (filter.start !== undefined && ms < filter.start) return false;
    if (filter.end !== undefined && ms > filter.end) return false;
    return filter.text === undefined || entry.body.split(" ").includes(filter.text);
  });
  return newestFirst ? list.reverse() : list;
}

function askedFor(filter: Filter, newestFirst: boolean, set: string): Asked {
  const jid = filter.with === undefined ? undefined : filter.with + (filter.resource ? `/${filter.resource}` : "");
  const fields = {
    ...(jid === undefined ? {} : { with: jid }),
    ...(filter.start === undefined ? {} : { start: timestamp(START + filter.start) }),
    ...(filter.end === undefined ? {} : { end: timestamp(START + filter.end) }),
    ...(filter.text === undefined ? {} : { "{urn:xmpp:fulltext:0}fulltext": filter.text }),
  };
  const more = newestFirst ? "<order xmlns='urn:xmpp:order-by:1' by='creation' desc='true'/>" : "";
  return { fields, set, more };
}

async function pageFor(view: ArchiveView, filter: Filter, newestFirst: boolean, set: string): Promise<ArchivePage> {
  const page = await pageOf(view, askedFor(filter, newestFirst, set));
  if (page instanceof StanzaError) throw page;
  return page;
}

const idsOf = (list: readonly { readonly id: number }[]) => list.map(({ id }) => id);

describe("paging through an archive", () => {
  it("forward with any filter, order and page size gives exactly the list; index, count and complete are right @2.2", async () => {
    await fc.assert(
      fc.asyncProperty(
        entries,
        filters,
        fc.boolean(),
        fc.integer({ min: 1, max: 7 }),
        async (all, filter, down, max) => {
          const { view } = await archiveOf(all);
          const list = listOf(all, filter, down);
          const seen: number[] = [];
          for (let anchor = ""; ;) {
            const page = await pageFor(view, filter, down, `<max>${max}</max>${anchor}`);
            const rest = list.slice(seen.length);
            expect(idsOf(page.rows)).toEqual(idsOf(rest.slice(0, max)));
            expect(page.complete).toBe(rest.length <= max);
            expect(page.count).toBe(list.length);
            expect(page.index).toBe(page.rows.length === 0 ? undefined : seen.length);
            seen.push(...idsOf(page.rows));
            if (page.complete) break;
            anchor = after(seen.at(-1) ?? 0);
          }
          expect(seen).toEqual(idsOf(list));
        },
      ),
    );
  });

  it("backward from the last page gives exactly the list, each page in the list's order @2.2", async () => {
    await fc.assert(
      fc.asyncProperty(
        entries,
        filters,
        fc.boolean(),
        fc.integer({ min: 1, max: 7 }),
        async (all, filter, down, max) => {
          const { view } = await archiveOf(all);
          const list = listOf(all, filter, down);
          let seen: number[] = [];
          for (let anchor = "<before/>"; ;) {
            const page = await pageFor(view, filter, down, `<max>${max}</max>${anchor}`);
            const left = list.length - seen.length;
            expect(idsOf(page.rows)).toEqual(idsOf(list.slice(Math.max(left - max, 0), left)));
            expect(page.complete).toBe(left <= max);
            expect(page.count).toBe(list.length);
            expect(page.index).toBe(page.rows.length === 0 ? undefined : Math.max(left - max, 0));
            seen = [...idsOf(page.rows), ...seen];
            if (page.complete) break;
            anchor = before(seen[0] ?? 0);
          }
          expect(seen).toEqual(idsOf(list));
        },
      ),
    );
  });

  it("from any entry of the archive, in the list or not, hidden or not, goes on behind or before it @2.2", async () => {
    const cases = fc.tuple(entries, filters, fc.boolean(), fc.nat(7), fc.nat(), fc.boolean());
    await fc.assert(
      fc.asyncProperty(cases, async ([all, filter, down, max, pick, behind]) => {
        const anchor = all[pick % Math.max(all.length, 1)]?.id;
        fc.pre(anchor !== undefined);
        const { view } = await archiveOf(all);
        const list = listOf(all, filter, down);
        const follows = (id: number) => id !== anchor && id > anchor === (behind !== down);
        const side = list.filter(({ id }) => follows(id));
        const expected = behind ? side.slice(0, max) : side.slice(Math.max(side.length - max, 0));
        const page = await pageFor(view, filter, down, `<max>${max}</max>${(behind ? after : before)(anchor)}`);
        expect(idsOf(page.rows)).toEqual(idsOf(expected));
        expect(page.count).toBe(list.length);
        if (max > 0) expect(page.complete).toBe(side.length <= max);
        if (page.rows.length > 0) expect(page.index).toBe(list.findIndex(({ id }) => id === page.rows[0]?.id));
      }),
    );
  });
});

describe("a page", () => {
  const three = [1, 2, 3].map((n): Kept => ({ id: idAt(n), body: String(n) }));

  it("of no entries tells the count only @2.2", async () => {
    const { view } = await archiveOf(three);
    expect(await pageOf(view, { set: "<max>0</max>" })).toEqual({
      rows: [],
      complete: false,
      index: undefined,
      count: 3,
    });
    const empty = await archiveOf([]);
    expect(await pageOf(empty.view, { set: "<max>0</max>" })).toMatchObject({ complete: true, count: 0 });
  });

  it("is capped, however much is asked for, and has a size of its own when nothing is @M9 @2.2", async () => {
    const many = Array.from({ length: 700 }, (_, n): Kept => ({ id: idAt(n), body: "x" }));
    const { view } = await archiveOf(many);
    const sizes = [];
    for (const set of [undefined, "<max>1000000000</max>", "<max>1000000000</max><before/>"]) {
      const page = await pageOf(view, set === undefined ? {} : { set });
      sizes.push(page instanceof StanzaError ? page : [page.rows.length, page.complete, page.count]);
    }
    expect(sizes).toEqual([
      [100, false, 700],
      [500, false, 700],
      [500, false, 700],
    ]);
  });

  it("ends early when its entries are large, and goes on with the next @M9", async () => {
    const large = Array.from({ length: 9 }, (_, n): Kept => ({ id: idAt(n), body: "x".repeat(200_000) }));
    const { view } = await archiveOf(large);
    const seen: number[] = [];
    let pages = 0;
    for (let anchor = ""; ; pages++) {
      const page = await pageOf(view, { set: `<max>50</max>${anchor}` });
      if (page instanceof StanzaError) throw page;
      seen.push(...idsOf(page.rows));
      expect(page.rows.length).toBeLessThan(4);
      if (page.complete) break;
      anchor = after(seen.at(-1) ?? 0);
    }
    expect([seen, pages]).toEqual([idsOf(large), 4]);
  });

  it("is read in slices, so that no read of the store is a long one @M9", async () => {
    const many = Array.from({ length: 300 }, (_, n): Kept => ({ id: idAt(n), body: "x" }));
    const { view, storage } = await archiveOf(many);
    const limits: number[] = [];
    const log = storage.log.bind(storage);
    storage.log = (owner, query) => {
      limits.push(query.limit);
      return log(owner, query);
    };
    await pageOf(view, { set: "<max>250</max>" });
    expect([Math.max(...limits), limits.reduce((a, b) => a + b)]).toEqual([64, 251]);
  });

  it.each([
    ["after", { set: after(idAt(9)) }],
    ["before", { set: before(idAt(9)) }],
    ["after that is no id", { set: "<after>nonsense</after>" }],
    ["before that is no id", { set: "<before>' OR 1=1 --</before>" }],
    ["after-id", { fields: { "after-id": idToText(idAt(9)) } }],
    ["before-id", { fields: { "before-id": "x" } }],
    ["one of the ids", { fields: { ids: [idToText(idAt(1)), idToText(idAt(9))] } }],
    ["after beside one that is there", { set: after(idAt(1)) + before(idAt(9)) }],
  ])("is not found when the archive has no %s @2.2 @M9", async (_, asked: Asked) => {
    const { view } = await archiveOf(three);
    expect(await pageOf(view, asked)).toMatchObject({ condition: "item-not-found" });
  });

  it("may be anchored at hidden entries, which cannot be fetched themselves @2.2", async () => {
    const { view } = await archiveOf([...three, { id: idAt(0), body: "", hidden: true }]);
    const hidden = idToText(idAt(0));
    expect(await pageOf(view, { set: after(idAt(0)) })).toMatchObject({ count: 3, index: 0 });
    expect(await pageOf(view, { fields: { "after-id": hidden } })).toMatchObject({ count: 3 });
    expect(await pageOf(view, { fields: { ids: hidden } })).toMatchObject({ condition: "item-not-found" });
  });

  it("by ids has them in the archive's order, each once, whatever the order and number of asking @2.2", async () => {
    const { view } = await archiveOf(three);
    const ids = [3, 1, 3].map((n) => idToText(idAt(n)));
    const page = await pageOf(view, { fields: { ids } });
    expect(page).toMatchObject({ count: 2, complete: true, index: 0 });
    expect(page instanceof StanzaError ? [] : idsOf(page.rows)).toEqual([idAt(1), idAt(3)]);
  });

  it("between two ids has what lies between them, from the beginning @2.2", async () => {
    const { view } = await archiveOf([...three, { id: idAt(4), body: "4" }]);
    const fields = { "after-id": idToText(idAt(1)), "before-id": idToText(idAt(4)) };
    const page = await pageOf(view, { fields, set: "<max>1</max>" });
    expect(page).toMatchObject({ rows: [{ id: idAt(2) }], count: 2, index: 0, complete: false });
  });

  it.each([
    ["that ends before it begins", { start: timestamp(START + 3), end: timestamp(START + 1) }],
    ["long ago", { end: "1969-01-01T00:00:00Z" }],
    ["in the far future", { start: "9999-01-01T00:00:00Z" }],
  ])("of a timespan %s is empty and complete @M9 @2.2", async (_, fields) => {
    const { view } = await archiveOf(three);
    expect(await pageOf(view, { fields })).toEqual({ rows: [], complete: true, index: undefined, count: 0 });
  });

  it("of a timespan has the entries at its very ends @2.2", async () => {
    const { view } = await archiveOf(three);
    const zoned = timestamp(START + 1 + 3_600_000).replace("Z", "+01:00");
    const page = await pageOf(view, { fields: { start: zoned, end: timestamp(START + 2).replace("Z", "9Z") } });
    expect(page instanceof StanzaError ? [] : idsOf(page.rows)).toEqual([idAt(1), idAt(2)]);
  });
});
