import { describe, expect, it } from "@jest/globals";
import { FakeClock } from "./fake-clock.js";
import { createLog, escapeText, silentLog } from "./log.js";
import type { LogEvent, LogOptions } from "./log.js";

function lines(act: (log: ReturnType<typeof createLog>) => void, options: Partial<LogOptions> = {}): string[] {
  const written: string[] = [];
  act(
    createLog({
      level: "info",
      format: "json",
      clock: new FakeClock(),
      write: (line) => written.push(line),
      ...options,
    }),
  );
  return written;
}

const json = (event: LogEvent): unknown => JSON.parse(lines((log) => log.info(event))[0] ?? "{}");

describe("the log", () => {
  it("writes one JSON object in a line, with the event's name, level and the clock's time @1.10", () => {
    const [line] = lines((log) => log.warn({ ev: "auth.failed", mechanism: "PLAIN", tries: 3 }));
    expect(line?.endsWith("}\n")).toBe(true);
    expect(JSON.parse(line ?? "")).toEqual({
      level: "warn",
      time: Date.UTC(2030, 0, 1),
      ev: "auth.failed",
      mechanism: "PLAIN",
      tries: 3,
    });
  });

  it("writes for people when asked to, at once and on one line @1.10", () => {
    const written = lines(
      (log) => log.info({ ev: "c2s.open", ip: "::1", jid: { toString: () => "romeo@a/orchard" } }),
      { format: "pretty" },
    );
    expect(written).toHaveLength(1);
    expect(written[0]).toMatch(/INFO.*: c2s\.open .*"ip":"::1".*romeo@a\/orchard.*\n$/);
    expect(written[0]?.split("\n")).toHaveLength(2);
  });

  it("leaves out what is less important than its level @1.10", () => {
    expect(lines((log) => log.debug({ ev: "x" }))).toEqual([]);
    expect(lines((log) => log.debug({ ev: "x" }), { level: "debug" })).toHaveLength(1);
    expect(lines((log) => log.error({ ev: "x" }), { level: "error" })).toHaveLength(1);
  });

  it("gives a child's facts to each of its lines", () => {
    const [line] = lines((log) => log.child({ stream: 7, password: "x" }).info({ ev: "y" }));
    expect(JSON.parse(line ?? "")).toMatchObject({ ev: "y", stream: 7, password: "(hidden)" });
  });

  it.each([
    "password",
    "newPassword",
    "token",
    "accessToken",
    "StoredKey",
    "ServerKey",
    "authorization",
    "client_proof",
    "privateKey",
  ])("never writes a fact called %s @1.10 @R12", (name) => {
    expect(json({ ev: "x", [name]: "hush", deep: { [name]: "hush" } })).toMatchObject({
      [name]: "(hidden)",
      deep: { [name]: "(hidden)" },
    });
  });

  it.each(["body", "stanza", "subject", "xml"])("never writes a message's %s @1.10", (name) => {
    expect(json({ ev: "x", [name]: "I love you" })).toMatchObject({ [name]: "(hidden)" });
  });

  it.each([
    ["a line break", 'x\n{"ev":"forged"}', 'x\\u000a{"ev":"forged"}'],
    ["an ANSI escape", "\u001b[31mred\u001b[0m", "\\u001b[31mred\\u001b[0m"],
    ["a C1 control", "\u009b31m", "\\u009b31m"],
    ["DEL", "a\u007f", "a\\u007f"],
    ["a turn of direction", "abc\u202egnp.exe", "abc\\u202egnp.exe"],
    ["a line separator", "a\u2028b", "a\\u2028b"],
  ])("makes %s in text from outside visible and harmless @R12", (_, text, safe) => {
    expect(escapeText(text)).toBe(safe);
    for (const format of ["json", "pretty"] as const) {
      const written = lines(
        (log) => log.info({ ev: "x", jid: { toString: () => text }, list: [text], error: new Error(text) }),
        { format },
      );
      expect(written.join("").split("\n")).toHaveLength(2);
      expect(written.join("")).not.toContain(text);
    }
  });

  it("cuts over-long text and stops in circles @R12", () => {
    const circle: Record<string, unknown> = {};
    circle["again"] = circle;
    expect(lines((log) => log.info({ ev: "x", text: "y".repeat(100_000), circle })).join("").length).toBeLessThan(2000);
  });

  it("tells an error's message, code, place and cause", () => {
    const error = Object.assign(new Error("no", { cause: new Error("why") }), { code: "EACCES" });
    expect(json({ ev: "x", error })).toMatchObject({
      error: { message: "no", code: "EACCES", at: expect.anything(), cause: { message: "why" } },
    });
  });

  it("can be silent", () => {
    expect(() => silentLog.child({}).error({ ev: "x" })).not.toThrow();
  });
});
