import { describe, expect, it } from "@jest/globals";
import { StreamReader, parseFragments, show, type StreamEvent } from "./xml.js";

const STREAM =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='a'>" +
  "<message xml:lang='en'><body>&lt;🎉</body></message> <p:x xmlns:p='urn:x'/></stream:stream>";

describe("the runner's reader of streams", () => {
  it.each([1, 7, STREAM.length])("gives head, elements and end, whatever the chunks (%d characters)", (size) => {
    const events: StreamEvent[] = [];
    const reader = new StreamReader((event) => events.push(event));
    for (let at = 0; at < STREAM.length; at += size) reader.write(STREAM.slice(at, at + size));
    expect(events.map((event) => event.kind)).toEqual(["head", "element", "element", "end"]);
    expect(events.map((event) => (event.kind === "element" ? show(event.tree) : ""))).toEqual([
      "",
      "<message xml:lang='en'><body>&#60;🎉</body></message>",
      "<x xmlns='urn:x'/>",
      "",
    ]);
  });

  it.each(["<a><!-- x --></a>", "<a><?x y?></a>", "<a>&x;</a>", "<a></b>", "text", "<a/></s>", "<a>", "<p:a/>"])(
    "does not take %s",
    (xml) => {
      expect(() => parseFragments(xml)).toThrow();
    },
  );
});
