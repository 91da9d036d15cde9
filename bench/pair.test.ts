import { describe, expect, it } from "@jest/globals";
import { Pair, type Pipe, STANZA_BYTES } from "./pair.js";

/** A pair over pipes held by the test. */
function pairOf(inFlight: number, limit?: number) {
  const written: string[] = [];
  const failures: string[] = [];
  let deliver: (text: string) => void = () => undefined;
  let answer: (text: string) => void = () => undefined;
  const from: Pipe = { write: (text) => void written.push(text), listen: (handler) => void (answer = handler) };
  const to: Pipe = { write: () => undefined, listen: (handler) => void (deliver = handler) };
  let woken = 0;
  const events = { ready: () => (woken += 1), failed: (reason: string) => void failures.push(reason) };
  const pair = new Pair(from, to, "juliet@localhost/load", inFlight, events, limit);
  return {
    ...{ pair, failures, woken: () => woken },
    deliver: (text: string) => deliver(text),
    answer: (text: string) => answer(text),
    sent: (): string[] => written.splice(0).flatMap((text) => text.match(/<message.*?<\/message>/gs) ?? []),
  };
}

describe("a pair of the load", () => {
  it("keeps as many messages in flight as it may, each of the stated size", () => {
    const { pair, sent } = pairOf(3);
    pair.send();
    pair.send();
    expect(sent().map((stanza) => stanza.length)).toEqual([STANZA_BYTES, STANZA_BYTES, STANZA_BYTES]);
  });

  it("counts messages whatever the chunks are, and asks to send again", () => {
    const { pair, sent, deliver, failures, woken } = pairOf(2);
    pair.send();
    for (const character of `<presence from='x'/>${sent().join("\n")}`) deliver(character);
    expect([pair.received, pair.settled, woken(), failures]).toEqual([2, true, 1, []]);
  });

  it("sends no more than its limit in all", () => {
    const { pair, sent, deliver, failures } = pairOf(2, 3);
    pair.send();
    deliver(sent().join(""));
    pair.send();
    const last = sent();
    deliver(last.join(""));
    pair.send();
    expect([last.length, sent(), pair.received, pair.settled, failures]).toEqual([1, [], 3, true, []]);
  });

  it.each([
    ["lost", ([, second = ""]: string[]) => second],
    ["out of order", ([first = "", second = ""]: string[]) => second + first],
    ["doubled", ([first = ""]: string[]) => first + first],
    ["without its number", () => "<message><body>hello</body></message>"],
  ])("notices a message that is %s", (_, broken) => {
    const { pair, sent, deliver, failures } = pairOf(2);
    pair.send();
    deliver(broken(sent()));
    expect(failures).toHaveLength(1);
  });

  it("fails when the sender gets a message, as that is a refusal", () => {
    const { answer, failures } = pairOf(1);
    answer("<message type='error'/>");
    expect(failures).toHaveLength(1);
  });
});
