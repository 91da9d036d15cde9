import { describe, expect, it } from "@jest/globals";
import { ArchiveReader } from "./pages.js";

/** A reader of an archive that answers each query with the next of these texts, a character at a time. */
function readerOf(...answers: readonly string[]) {
  const asked: string[] = [];
  let tell: (text: string) => void = () => undefined;
  let close: (error?: Error) => void = () => undefined;
  const write = (text: string): void => {
    asked.push(/<set[^>]*>(.*)<\/set>/.exec(text)?.[1] ?? text);
    const answer = answers[asked.length - 1] ?? "";
    queueMicrotask(() => {
      for (const character of answer) tell(character);
    });
  };
  const reader = new ArchiveReader({ write, listen: (handler, closed) => ([tell, close] = [handler, closed]) });
  return { reader, asked, tell: (text: string) => tell(text), close: (error?: Error) => close(error) };
}

const result = "<message><result xmlns='urn:xmpp:mam:2' id='1'/></message>";

function page(messages: number, first: string, complete = false): string {
  const fin = `<fin xmlns='urn:xmpp:mam:2'${complete ? " complete='true'" : ""}><set><first index='0'>${first}</first></set></fin>`;
  return `${result.repeat(messages)}<iq type='result' id='page'>${fin}</iq>`;
}

describe("a reader of an archive", () => {
  it("pages from the newest to the oldest message and counts them @2.show4", async () => {
    const { reader, asked } = readerOf(page(2, "c"), page(2, "b"), page(1, "a", true));
    const pages: number[] = [];
    expect(await reader.walk(2, (messages) => void pages.push(messages))).toBe(5);
    expect(pages).toEqual([2, 2, 1]);
    expect(asked).toEqual(["<before/>", "<before>c</before>", "<before>b</before>"].map((at) => "<max>2</max>" + at));
  });

  it("ends at an empty page, from a server that does not say that a page is the last @2.show4", async () => {
    const { reader } = readerOf(
      page(2, "a"),
      "<iq type='result' id='page'><fin><set><count>2</count></set></fin></iq>",
    );
    expect(await reader.walk(2, () => undefined)).toBe(2);
  });

  it("knows what the archive says it holds @2.show4", async () => {
    const { reader, asked } = readerOf("<iq type='result'><fin><set><count>1234</count></set></fin></iq>");
    expect([await reader.count(), asked]).toEqual([1234, ["<max>0</max>"]]);
  });

  it("takes what comes before its first query for no part of the answer", async () => {
    const { reader, tell } = readerOf(page(1, "a", true));
    tell("<presence/><iq type='set'/></iq>");
    expect(await reader.walk(2, () => undefined)).toBe(1);
  });

  it.each([
    ["no count", "<iq type='result'><fin/></iq>", /no count/],
    ["an error", "<iq type='error'><error/></iq>", /no page/],
  ])("fails at %s", async (_, answer, message) => {
    await expect(readerOf(answer).reader.count()).rejects.toThrow(message);
  });

  it("fails when the connection breaks while it waits", async () => {
    const { reader, close } = readerOf();
    const walk = reader.walk(2, () => undefined);
    close();
    await expect(walk).rejects.toThrow("closed by the server");
  });
});
