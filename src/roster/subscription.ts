// RFC 6121 §3 and Appendix A: what a subscription stanza does to the state between a user and a contact, as tables without side
// effects. "Outbound" stanzas come from the user, "inbound" ones from the contact; the state is always the user's.

export const SUBSCRIPTION_TYPES = ["subscribe", "subscribed", "unsubscribe", "unsubscribed"] as const;

export type SubscriptionType = (typeof SUBSCRIPTION_TYPES)[number];

/**
 * The nine states of RFC 6121 A.1. `to`: the user sees the contact; `from`: the contact sees the user; `out`: the user has asked
 * and waits; `in`: the contact has asked and waits.
 */
export type State = "none" | "none+out" | "none+in" | "none+out+in" | "to" | "to+in" | "from" | "from+out" | "both";

/** How the user stands to a contact. */
export interface Standing {
  readonly state: State;
  /** The user has approved the contact's next request in advance (RFC 6121 §3.4). */
  readonly approved: boolean;
}

export interface Outcome extends Standing {
  /** Outbound: the stanza is routed to the contact. Inbound: it is delivered to the user. */
  readonly passes: boolean;
}

export interface InboundOutcome extends Outcome {
  /** The server answers for the user. */
  readonly reply?: "subscribed";
}

export function isState(text: string): text is State {
  return Object.hasOwn(OUTBOUND.subscribe, text);
}

export function isSubscriptionType(type: string | undefined): type is SubscriptionType {
  return SUBSCRIPTION_TYPES.some((one) => one === type);
}

/** The user sees the contact's presence. */
export function seesContact(state: State): boolean {
  return state === "to" || state === "to+in" || state === "both";
}

/** The contact sees the user's presence. */
export function isSeenByContact(state: State): boolean {
  return state === "from" || state === "from+out" || state === "both";
}

/** The user has asked to see the contact's presence and waits for the answer. */
export function isAsking(state: State): boolean {
  return state === "none+out" || state === "none+out+in" || state === "from+out";
}

/** The contact has asked to see the user's presence and waits for the answer. */
export function isAsked(state: State): boolean {
  return state === "none+in" || state === "none+out+in" || state === "to+in";
}

/** The user sends the stanza. Cancelling a subscription also cancels the approval in advance (RFC 6121 §3.4.2). */
export function outbound(type: SubscriptionType, standing: Standing): Outcome {
  const { passes, next } = OUTBOUND[type][standing.state];
  const state = next ?? standing.state;
  switch (type) {
    case "subscribed":
      return { state, passes, approved: standing.approved || APPROVABLE.has(standing.state) };
    case "unsubscribed":
      return { state, passes, approved: false };
    case "subscribe":
    case "unsubscribe":
      return { state, passes, approved: standing.approved };
  }
}

/** The stanza arrives from the contact. A request that is approved already is answered by the server (RFC 6121 §3.1.3, §3.4.3). */
export function inbound(type: SubscriptionType, standing: Standing): InboundOutcome {
  const { approved, state } = standing;
  if (type === "subscribe") {
    if (isSeenByContact(state)) return { state, approved, passes: false, reply: "subscribed" };
    const granted = approved ? GRANTED[state] : undefined;
    if (granted) return { state: granted, approved, passes: false, reply: "subscribed" };
  }
  const { passes, next } = INBOUND[type][state];
  return { state: next ?? state, approved, passes };
}

/** The request of the user came to nothing: the contact's server is not there. */
export function unanswered(state: State): State {
  return isAsking(state) ? (INBOUND.unsubscribed[state].next ?? state) : state;
}

interface Cell {
  readonly passes: boolean;
  /** Undefined: no state change. */
  readonly next: State | undefined;
}

type Table = Readonly<Record<SubscriptionType, Readonly<Record<State, Cell>>>>;

const pass = (next?: State): Cell => ({ passes: true, next });
const stop = (next?: State): Cell => ({ passes: false, next });

/** States in which `subscribed` is kept as an approval in advance (A.2.3, note 1). */
const APPROVABLE: ReadonlySet<State> = new Set<State>(["none", "none+out", "to"]);

/** What a request becomes that was approved in advance (RFC 6121 §3.4.3). */
const GRANTED: Partial<Readonly<Record<State, State>>> = { none: "from", "none+out": "from+out", to: "both" };

/** RFC 6121 A.2. */
const OUTBOUND: Table = {
  subscribe: {
    none: pass("none+out"),
    "none+out": pass(),
    "none+in": pass("none+out+in"),
    "none+out+in": pass(),
    to: pass(),
    "to+in": pass(),
    from: pass("from+out"),
    "from+out": pass(),
    both: pass(),
  },
  unsubscribe: {
    none: pass(),
    "none+out": pass("none"),
    "none+in": pass(),
    "none+out+in": pass("none+in"),
    to: pass("none"),
    "to+in": pass("none+in"),
    from: pass(),
    "from+out": pass("from"),
    both: pass("from"),
  },
  subscribed: {
    none: stop(),
    "none+out": stop(),
    "none+in": pass("from"),
    "none+out+in": pass("from+out"),
    to: stop(),
    "to+in": pass("both"),
    from: stop(),
    "from+out": stop(),
    both: stop(),
  },
  unsubscribed: {
    none: stop(),
    "none+out": stop(),
    "none+in": pass("none"),
    "none+out+in": pass("none+out"),
    to: stop(),
    "to+in": pass("to"),
    from: pass("none"),
    "from+out": pass("none+out"),
    both: pass("to"),
  },
};

/** RFC 6121 A.3, but for the requests that the server answers itself. */
const INBOUND: Table = {
  subscribe: {
    none: pass("none+in"),
    "none+out": pass("none+out+in"),
    "none+in": stop(),
    "none+out+in": stop(),
    to: pass("to+in"),
    "to+in": stop(),
    from: stop(),
    "from+out": stop(),
    both: stop(),
  },
  unsubscribe: {
    none: stop(),
    "none+out": stop(),
    "none+in": pass("none"),
    "none+out+in": pass("none+out"),
    to: stop(),
    "to+in": pass("to"),
    from: pass("none"),
    "from+out": pass("none+out"),
    both: pass("to"),
  },
  subscribed: {
    none: stop(),
    "none+out": pass("to"),
    "none+in": stop(),
    "none+out+in": pass("to+in"),
    to: stop(),
    "to+in": stop(),
    from: stop(),
    "from+out": pass("both"),
    both: stop(),
  },
  unsubscribed: {
    none: stop(),
    "none+out": pass("none"),
    "none+in": stop(),
    "none+out+in": pass("none+in"),
    to: pass("none"),
    "to+in": pass("none+in"),
    from: stop(),
    "from+out": pass("from"),
    both: pass("from"),
  },
};
