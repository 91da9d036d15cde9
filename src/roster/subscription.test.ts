import { describe, expect, it } from "@jest/globals";
import {
  inbound,
  isAsked,
  isAsking,
  isSeenByContact,
  outbound,
  seesContact,
  SUBSCRIPTION_TYPES,
  unanswered,
  type State,
  type SubscriptionType,
} from "./subscription.js";

// The tables of RFC 6121 Appendix A, with the RFC's names for the states: existing state | routed or delivered | new state.
// "-" is "no state change"; [1] refers to the notes, which have tests of their own below.
const APPENDIX_A2: Record<SubscriptionType, string> = {
  subscribe: `
    None                  | MUST     | None + Pending Out
    None + Pending Out    | MUST     | -
    None + Pending In     | MUST     | None + Pending Out+In
    None + Pending Out+In | MUST     | -
    To                    | MUST     | -
    To + Pending In       | MUST     | -
    From                  | MUST     | From + Pending Out
    From + Pending Out    | MUST     | -
    Both                  | MUST     | -`,
  unsubscribe: `
    None                  | MUST     | -
    None + Pending Out    | MUST     | None
    None + Pending In     | MUST     | -
    None + Pending Out+In | MUST     | None + Pending In
    To                    | MUST     | None
    To + Pending In       | MUST     | None + Pending In
    From                  | MUST     | -
    From + Pending Out    | MUST     | From
    Both                  | MUST     | From`,
  subscribed: `
    None                  | MUST NOT | - [1]
    None + Pending Out    | MUST NOT | - [1]
    None + Pending In     | MUST     | From
    None + Pending Out+In | MUST     | From + Pending Out
    To                    | MUST NOT | - [1]
    To + Pending In       | MUST     | Both
    From                  | MUST NOT | -
    From + Pending Out    | MUST NOT | -
    Both                  | MUST NOT | -`,
  unsubscribed: `
    None                  | MUST NOT | - [1]
    None + Pending Out    | MUST NOT | - [1]
    None + Pending In     | MUST     | None
    None + Pending Out+In | MUST     | None + Pending Out
    To                    | MUST NOT | - [1]
    To + Pending In       | MUST     | To
    From                  | MUST     | None
    From + Pending Out    | MUST     | None + Pending Out
    Both                  | MUST     | To`,
};

const APPENDIX_A3: Record<SubscriptionType, string> = {
  subscribe: `
    None                  | MUST     | None + Pending In
    None + Pending Out    | MUST     | None + Pending Out+In
    None + Pending In     | MUST NOT | -
    None + Pending Out+In | MUST NOT | -
    To                    | MUST     | To + Pending In
    To + Pending In       | MUST NOT | -
    From                  | MUST NOT | - [1]
    From + Pending Out    | MUST NOT | - [1]
    Both                  | MUST NOT | - [1]`,
  unsubscribe: `
    None                  | MUST NOT | -
    None + Pending Out    | MUST NOT | -
    None + Pending In     | MUST     | None
    None + Pending Out+In | MUST     | None + Pending Out
    To                    | MUST NOT | -
    To + Pending In       | MUST     | To
    From                  | MUST     | None
    From + Pending Out    | MUST     | None + Pending Out
    Both                  | MUST     | To`,
  subscribed: `
    None                  | MUST NOT | -
    None + Pending Out    | MUST     | To
    None + Pending In     | MUST NOT | -
    None + Pending Out+In | MUST     | To + Pending In
    To                    | MUST NOT | -
    To + Pending In       | MUST NOT | -
    From                  | MUST NOT | -
    From + Pending Out    | MUST     | Both
    Both                  | MUST NOT | -`,
  unsubscribed: `
    None                  | MUST NOT | -
    None + Pending Out    | MUST     | None
    None + Pending In     | MUST NOT | -
    None + Pending Out+In | MUST     | None + Pending In
    To                    | MUST     | None
    To + Pending In       | MUST     | None + Pending In
    From                  | MUST NOT | -
    From + Pending Out    | MUST     | From
    Both                  | MUST     | From`,
};

const OURS: Record<string, State> = {
  None: "none",
  "None + Pending Out": "none+out",
  "None + Pending In": "none+in",
  "None + Pending Out+In": "none+out+in",
  To: "to",
  "To + Pending In": "to+in",
  From: "from",
  "From + Pending Out": "from+out",
  Both: "both",
};

interface RfcRow {
  readonly type: SubscriptionType;
  readonly state: string;
  readonly may: string;
  readonly next: string;
}

function rowsOf(tables: Record<SubscriptionType, string>): RfcRow[] {
  return SUBSCRIPTION_TYPES.flatMap((type) =>
    tables[type]
      .trim()
      .split("\n")
      .map((line) => {
        const [state = "", may = "", next = ""] = line.split("|").map((cell) => cell.replace("[1]", "").trim());
        return { type, state, may, next };
      }),
  );
}

function ours(name: string): State {
  const state = OURS[name];
  if (!state) throw new Error(`"${name}" is not a state of the RFC`);
  return state;
}

describe("the tables of RFC 6121 Appendix A", () => {
  it("are whole: four stanza types in nine states, both ways @1.6", () => {
    expect(rowsOf(APPENDIX_A2)).toHaveLength(36);
    expect(rowsOf(APPENDIX_A3)).toHaveLength(36);
  });

  it.each(rowsOf(APPENDIX_A2))("A.2: outbound $type in $state: route $may, new state $next @1.6", (row) => {
    const state = ours(row.state);
    const outcome = outbound(row.type, { state, approved: false });
    expect(outcome.passes).toBe(row.may === "MUST");
    expect(outcome.state).toBe(row.next === "-" ? state : ours(row.next));
  });

  it.each(rowsOf(APPENDIX_A3))("A.3: inbound $type in $state: deliver $may, new state $next @1.6", (row) => {
    const state = ours(row.state);
    const outcome = inbound(row.type, { state, approved: false });
    expect(outcome.passes).toBe(row.may === "MUST");
    expect(outcome.state).toBe(row.next === "-" ? state : ours(row.next));
  });
});

describe("the notes to the tables and pre-approval (RFC 6121 §3.4)", () => {
  it.each<[State, boolean]>([
    ["none", true],
    ["none+out", true],
    ["none+in", false],
    ["none+out+in", false],
    ["to", true],
    ["to+in", false],
    ["from", false],
    ["from+out", false],
    ["both", false],
  ])("an outbound subscribed in %s sets the approval in advance: %s @1.6", (state, approved) => {
    expect(outbound("subscribed", { state, approved: false }).approved).toBe(approved);
  });

  it.each(Object.values(OURS))("an outbound unsubscribed in %s cancels an approval in advance @1.6", (state) => {
    expect(outbound("unsubscribed", { state, approved: true }).approved).toBe(false);
  });

  it.each(Object.values(OURS))("subscribe and unsubscribe in %s leave an approval in advance alone @1.6", (state) => {
    expect(outbound("subscribe", { state, approved: true }).approved).toBe(true);
    expect(outbound("unsubscribe", { state, approved: true }).approved).toBe(true);
  });

  it.each<[State, State]>([
    ["none", "from"],
    ["none+out", "from+out"],
    ["to", "both"],
  ])("a request approved in advance in %s is granted (%s) and answered, not delivered @1.6", (state, granted) => {
    expect(inbound("subscribe", { state, approved: true })).toEqual({
      state: granted,
      approved: true,
      passes: false,
      reply: "subscribed",
    });
  });

  it.each(Object.values(OURS))(
    "a repeated request in %s is answered by the server exactly if it was granted @1.6",
    (state) => {
      const { reply } = inbound("subscribe", { state, approved: false });
      expect(reply).toBe(["from", "from+out", "both"].includes(state) ? "subscribed" : undefined);
    },
  );

  it.each<[State, State]>([
    ["none+out", "none"],
    ["none+out+in", "none+in"],
    ["from+out", "from"],
    ["to", "to"],
    ["both", "both"],
    ["none", "none"],
  ])("a request of ours that came to nothing turns %s into %s @1.6", (state, next) => {
    expect(unanswered(state)).toBe(next);
  });
});

describe("the questions asked of a state", () => {
  it("follow from its name, whatever the state @1.6", () => {
    for (const [name, state] of Object.entries(OURS)) {
      expect(seesContact(state)).toBe(/^(To|Both)/.test(name));
      expect(isSeenByContact(state)).toBe(/^(From|Both)/.test(name));
      expect(isAsking(state)).toBe(name.includes("Pending Out"));
      expect(isAsked(state)).toBe(/Pending (Out\+)?In/.test(name));
    }
  });

  it("stay in step: what the user's server does and what the contact's server does mirror each other @1.6", () => {
    const mirror = (state: State): string =>
      [seesContact(state), isAsking(state), isSeenByContact(state), isAsked(state)].map(Number).join("");
    const swapped = (state: State): string =>
      [isSeenByContact(state), isAsked(state), seesContact(state), isAsking(state)].map(Number).join("");
    for (const user of Object.values(OURS)) {
      const contact = Object.values(OURS).find((state) => swapped(state) === mirror(user));
      if (!contact) continue; // the RFC has no name for "to" and still asking
      for (const type of SUBSCRIPTION_TYPES) {
        const sent = outbound(type, { state: user, approved: false });
        if (!sent.passes) continue;
        const got = inbound(type, { state: contact, approved: false });
        expect(swapped(got.state)).toBe(mirror(sent.state));
      }
    }
  });
});
