import { describe, expect, it } from "@jest/globals";
import {
  iqVerdict,
  messageVerdict,
  presenceVerdict,
  type MessageType,
  type Recipient,
  type Verdict,
} from "./delivery.js";

// RFC 6121 §8.5, "Summary of Message Delivery Rules", with rulings where the RFC leaves a choice.
// Columns: no such account · bare, nobody · bare, only negative · bare, non-negative · full, no such resource, nobody · … non-negative · full, bound
const ABSENT: Recipient = { exists: false, full: false, resourceBound: false, nonNegative: false };
const BARE_NOBODY: Recipient = { exists: true, full: false, resourceBound: false, nonNegative: false };
const BARE_SOMEBODY: Recipient = { exists: true, full: false, resourceBound: false, nonNegative: true };
const GONE_NOBODY: Recipient = { exists: true, full: true, resourceBound: false, nonNegative: false };
const GONE_SOMEBODY: Recipient = { exists: true, full: true, resourceBound: false, nonNegative: true };
const BOUND: Recipient = { exists: true, full: true, resourceBound: true, nonNegative: false };

type Word = Exclude<Verdict["kind"], "refuse"> | "service-unavailable";
const word = (verdict: Verdict): Word => (verdict.kind === "refuse" ? (verdict.condition as Word) : verdict.kind);

const MESSAGES: readonly [MessageType, Word, Word, Word, Word, Word, Word][] = [
  // type       absent                 bare nobody            bare somebody          gone nobody            gone somebody          bound
  ["normal", "service-unavailable", "store", "non-negative", "service-unavailable", "service-unavailable", "resource"],
  ["chat", "service-unavailable", "store", "non-negative", "store", "non-negative", "resource"],
  ["headline", "drop", "drop", "non-negative", "drop", "drop", "resource"],
  [
    "groupchat",
    "service-unavailable",
    "service-unavailable",
    "service-unavailable",
    "service-unavailable",
    "service-unavailable",
    "resource",
  ],
  ["error", "drop", "drop", "drop", "drop", "drop", "resource"],
];

describe("delivery of messages", () => {
  it.each(MESSAGES)("%s: the row of RFC 6121 §8.5 @1.6", (type, ...expected) => {
    const recipients = [ABSENT, BARE_NOBODY, BARE_SOMEBODY, GONE_NOBODY, GONE_SOMEBODY, BOUND];
    expect(recipients.map((to) => word(messageVerdict(type, to)))).toEqual(expected);
  });
});

describe("delivery of presence", () => {
  it.each([
    [undefined, "drop", "available", "drop", "resource"],
    ["unavailable", "drop", "available", "drop", "resource"],
    ["error", "drop", "available", "drop", "resource"],
    ["subscribe", "handle", "handle", "handle", "handle"],
    ["subscribed", "handle", "handle", "handle", "handle"],
    ["unsubscribe", "handle", "handle", "handle", "handle"],
    ["unsubscribed", "handle", "handle", "handle", "handle"],
    ["probe", "handle", "handle", "handle", "handle"],
  ])("%s: to nobody, bare, gone, bound @1.6", (type, ...expected) => {
    expect([ABSENT, BARE_SOMEBODY, GONE_SOMEBODY, BOUND].map((to) => word(presenceVerdict(type, to)))).toEqual(
      expected,
    );
  });
});

describe("delivery of IQs", () => {
  it.each([
    ["get", "handle", "handle", "service-unavailable", "resource"],
    ["set", "handle", "handle", "service-unavailable", "resource"],
    ["result", "drop", "drop", "drop", "resource"],
    ["error", "drop", "drop", "drop", "resource"],
  ])("%s: to nobody, bare, gone, bound @1.6", (type, ...expected) => {
    expect([ABSENT, BARE_SOMEBODY, GONE_SOMEBODY, BOUND].map((to) => word(iqVerdict(type, to)))).toEqual(expected);
  });
});
