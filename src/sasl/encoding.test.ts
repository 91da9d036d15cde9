import { describe, expect, it } from "@jest/globals";
import { decodeBase64, decodeSaslData, decodeUtf8 } from "./encoding.js";

describe("SASL data", () => {
  it.each([
    ["", ""],
    ["Zg==", "f"],
    ["Zm8=", "fo"],
    ["Zm9v", "foo"],
    ["Zm9vYmFy", "foobar"],
  ])("is base64 as RFC 4648 §10 has it: %j is %j @1.4", (text, expected) => {
    expect(decodeBase64(text)?.toString()).toBe(expected);
  });

  it.each(["=", "Zg", "Zg=", "Zh==", "Z g==", "Zg==\n", "Zm9v=", "Z-8_", "Zg==Zg==", "\u00e9"])(
    "is refused when it is not canonical base64: %j @1.4 @A6",
    (text) => {
      expect(decodeBase64(text)).toBeUndefined();
    },
  );

  it("is empty for a lone equals sign, RFC 6120 §6.4.2 @1.4", () => {
    expect(decodeSaslData("=")).toHaveLength(0);
    expect(decodeSaslData("==")).toBeUndefined();
  });

  it("is text only when it is UTF-8 @1.4", () => {
    expect(decodeUtf8(Buffer.from("\ufeff\u00e9"))).toBe("\ufeff\u00e9");
    for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xc3]])
      expect(decodeUtf8(Buffer.from(bytes))).toBeUndefined();
  });
});
