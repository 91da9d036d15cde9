// How a server may end: killed from outside at a random moment, by itself at a failpoint, on its way to being ready, or in order.
// Which ones a round has is decided by its number, so that a few rounds have been through all of them, and by its seed.
import { AT_START, AT_STOP, type Trap, UNDER_LOAD } from "./failpoints.js";
import type { Dice } from "./random.js";

export type Kill =
  | { readonly kind: "random"; readonly afterMs: number }
  | { readonly kind: "trap"; readonly trap: Trap }
  | { readonly kind: "stop"; readonly trap?: Trap };

/** On the way to the `ready` line. */
export type StartKill =
  { readonly kind: "random"; readonly afterMs: number } | { readonly kind: "trap"; readonly trap: Trap };

export interface LifePlan {
  /** Before the server gets ready for this life, it is killed so. */
  readonly start?: StartKill;
  readonly end: Kill;
}

const MAX_LOAD_MS = 900;
const MAX_START_MS = 500;
/** How often a place is passed in a second of load, at least, on a busy machine: the trap is set at any of these times. */
const PASSES: readonly (readonly [RegExp, number])[] = [
  [/^commit/, 60],
  [/^socket/, 200],
  [/^storage\.log/, 6],
  [/^storage\.load/, 12],
  [/./, 1],
];
const MAX_DELAY_US = 4000; // a transaction takes 0.2 to 6 ms

/** All the ways a life can end under load; "random" stands there as often as all failpoints together would be too rare. */
const ENDS: readonly string[] = [
  ...UNDER_LOAD.flatMap((place, at) => (at % 3 === 0 ? ["random", place] : [place])),
  "stop",
  ...AT_STOP.slice(0, 1),
];
const STARTS: readonly string[] = [...AT_START, "random"];

/** Two lives; the third, which is judged, is not disturbed. */
export function livesOf(round: number, dice: Dice): readonly LifePlan[] {
  const start = startKill(STARTS[round % STARTS.length] ?? "random", dice);
  return [
    { end: endOf(ENDS[(2 * round) % ENDS.length] ?? "random", dice) },
    { start, end: endOf(ENDS[(2 * round + 1) % ENDS.length] ?? "random", dice) },
  ];
}

export function endOf(place: string, dice: Dice): Kill {
  if (place === "random") return { kind: "random", afterMs: dice.below(MAX_LOAD_MS) };
  if (place === "stop") return { kind: "stop" };
  const trap = trapAt(place, dice);
  return AT_STOP.includes(place) ? { kind: "stop", trap } : { kind: "trap", trap };
}

function startKill(place: string, dice: Dice): StartKill {
  return place === "random"
    ? { kind: "random", afterMs: dice.below(MAX_START_MS) }
    : { kind: "trap", trap: { at: place, after: 1 } };
}

function trapAt(at: string, dice: Dice): Trap {
  const most = PASSES.find(([pattern]) => pattern.test(at))?.[1] ?? 1;
  const delayUs = at === "commit.handed" ? { delayUs: dice.below(MAX_DELAY_US) } : {};
  return { at, after: dice.between(1, most), ...delayUs };
}

export function describe(kill: Kill | StartKill): string {
  switch (kill.kind) {
    case "random":
      return `random ${kill.afterMs} ms`;
    case "trap":
      return describeTrap(kill.trap);
    case "stop":
      return kill.trap ? `SIGTERM, ${describeTrap(kill.trap)}` : "SIGTERM";
    default:
      return kill satisfies never;
  }
}

function describeTrap({ at, after, delayUs }: Trap): string {
  return `${at}#${after}${delayUs === undefined ? "" : `+${delayUs}µs`}`;
}
