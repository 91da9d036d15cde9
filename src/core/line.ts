// Turns that are taken in the order in which they were reserved, whatever comes first.

const MAX_TURNS = 1000; // that wait; beyond it the first is not waited for: the order is given up, not the message

/** A place in the line. */
export interface Turn {
  /** Acts when all before it have; at once if it is not waited for any more. */
  take(act: () => void): void;
}

class Place implements Turn {
  readonly #line: Line;
  act: (() => void) | undefined;
  isPassed = false;

  constructor(line: Line) {
    this.#line = line;
  }

  take(act: () => void): void {
    if (this.isPassed) return act();
    this.act = act;
    this.#line.goOn();
  }
}

export class Line {
  readonly #places: Place[] = [];
  readonly #whenEmpty: () => void;
  #goesOn = false;
  /** Places reserved by the act that runs now: they belong to it, and stand in front. */
  #inFront = 0;

  constructor(whenEmpty: () => void) {
    this.#whenEmpty = whenEmpty;
  }

  reserve(): Turn {
    const place = new Place(this);
    if (this.#goesOn) this.#places.splice(this.#inFront++, 0, place);
    else this.#places.push(place);
    if (this.#places.length > MAX_TURNS) {
      this.#pass();
      this.goOn();
    }
    return place;
  }

  /** Those at the front whose turn has come. */
  goOn(): void {
    if (this.#goesOn) return;
    this.#goesOn = true;
    try {
      while (this.#places[0]?.act) this.#pass();
    } finally {
      this.#goesOn = false;
      if (this.#places.length === 0) this.#whenEmpty();
    }
  }

  #pass(): void {
    const first = this.#places.shift();
    if (!first) return;
    first.isPassed = true;
    this.#inFront = 0;
    first.act?.();
  }
}
