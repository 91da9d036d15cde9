// Time, as everything but the adapters sees it. The real clock keeps all timers of the process in two timer wheels, so that a
// session that waits costs an entry in a set, not a timer of the system.

/** A call that has been put off. */
export interface Timer {
  /** Safe at any time, also after the call was made. */
  cancel(): void;
}

/** The time of day and calls put off. */
export interface Clock {
  /** Milliseconds since 1970. May jump when the system's time is set. */
  now(): number;
  /** Calls once, not before `ms` have passed, and at most one tick later (10 ms; 250 ms from two seconds on). `Infinity`: never. */
  after(ms: number, call: () => void): Timer;
  /** Calls once when what has already arrived has been handled: the end of this turn of the event loop. */
  soon(call: () => void): void;
}

const FINE_MS = 10;
const COARSE_MS = 250;
/** Waits shorter than this get the fine wheel: acknowledgements, not time-outs of connections. */
const COARSE_FROM_MS = 2000;
const NEVER: Timer = { cancel: () => undefined };

/** The system's clock. What a call throws goes to `report` and does not stop the others. */
export function systemClock(report: (error: unknown) => void): Clock {
  const fine = new TimerWheel(FINE_MS, monotonic, sleep, report);
  const coarse = new TimerWheel(COARSE_MS, monotonic, sleep, report);
  return {
    now: () => Date.now(),
    after: (ms, call) => (ms === Infinity ? NEVER : (ms < COARSE_FROM_MS ? fine : coarse).after(ms, call)),
    soon: (call) => void setImmediate(call),
  };
}

function monotonic(): number {
  return performance.now();
}

function sleep(ms: number, wake: () => void): void {
  setTimeout(wake, ms).unref();
}

const SLOTS = 512;

interface Entry {
  readonly dueTick: number;
  readonly call: () => void;
}

/** Timers sorted into slots by the tick at which they are due: arming and cancelling take the same time however many there are. */
export class TimerWheel {
  readonly #tickMs: number;
  readonly #time: () => number;
  readonly #sleep: (ms: number, wake: () => void) => void;
  readonly #report: (error: unknown) => void;
  readonly #slots: readonly Set<Entry>[] = Array.from({ length: SLOTS }, () => new Set<Entry>());
  #size = 0;
  #tick = 0;
  #awake = false;

  /** `time` must not run backwards; `sleep` wakes the wheel once. Nothing is asked of `sleep` while no timer is armed. */
  constructor(
    tickMs: number,
    time: () => number,
    sleep: (ms: number, wake: () => void) => void,
    report: (error: unknown) => void,
  ) {
    this.#tickMs = tickMs;
    this.#time = time;
    this.#sleep = sleep;
    this.#report = report;
  }

  /** Timers armed and not yet due. */
  get size(): number {
    return this.#size;
  }

  after(ms: number, call: () => void): Timer {
    if (this.#size === 0) this.#tick = this.#currentTick();
    const dueTick = Math.max(this.#tick + 1, Math.ceil((this.#time() + ms) / this.#tickMs));
    const slot = this.#slot(dueTick);
    const entry: Entry = { dueTick, call };
    slot.add(entry);
    this.#size++;
    this.#wakeLater();
    return {
      cancel: () => {
        if (slot.delete(entry)) this.#size--;
      },
    };
  }

  #wakeLater(): void {
    if (this.#awake || this.#size === 0) return;
    this.#awake = true;
    this.#sleep(this.#tickMs, () => {
      this.#awake = false;
      this.#turn();
      this.#wakeLater();
    });
  }

  /** Moves to the present; after a long stall each slot is looked at once. */
  #turn(): void {
    const present = this.#currentTick();
    const from = Math.max(this.#tick + 1, present - SLOTS + 1);
    this.#tick = Math.max(this.#tick, present);
    for (let tick = from; tick <= present; tick++) this.#fire(this.#slot(tick), present);
  }

  #fire(slot: Set<Entry>, present: number): void {
    for (const entry of [...slot].filter(({ dueTick }) => dueTick <= present)) {
      if (!slot.delete(entry)) continue; // cancelled by a call before it
      this.#size--;
      try {
        entry.call();
      } catch (error) {
        this.#report(error);
      }
    }
  }

  #currentTick(): number {
    return Math.floor(this.#time() / this.#tickMs);
  }

  #slot(tick: number): Set<Entry> {
    return this.#slots[tick % SLOTS] ?? new Set();
  }
}
