import { describe, expect, it } from "@jest/globals";
import { bytesOf, fromWire, toWire, w, wireOf } from "./wire.js";

describe("wire text", () => {
  it("is as long as its UTF-8 bytes and comes back unchanged", () => {
    const text = "grüße, 世界, 🐦";
    expect(toWire(text)).toHaveLength(Buffer.byteLength(text));
    expect(fromWire(toWire(text))).toBe(text);
    expect(wireOf(bytesOf(toWire(text)))).toBe(toWire(text));
  });

  it("joins wire strings without converting them again", () => {
    expect(w`<b>${toWire("é")}</b>`).toBe(toWire("<b>é</b>"));
  });
});
