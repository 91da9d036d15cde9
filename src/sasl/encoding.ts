// Strict readers of what SASL messages are made of: base64 (RFC 4648 §4, RFC 6120 §6.4.2) and UTF-8.
import { isUtf8 } from "node:buffer";

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The bytes, or undefined when `text` is not canonical base64: white space and loose final bits are refused. */
export function decodeBase64(text: string): Buffer | undefined {
  if (!BASE64.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

/** The character data of an auth or response element, where "=" stands for empty data (RFC 6120 §6.4.2). */
export function decodeSaslData(text: string): Buffer | undefined {
  return text === "=" ? Buffer.alloc(0) : decodeBase64(text);
}

/** The text, or undefined when the bytes are not UTF-8. */
export function decodeUtf8(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString("utf8") : undefined;
}
