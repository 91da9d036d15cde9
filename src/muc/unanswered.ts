// The requests between occupants of a room that have been passed on and not answered yet. Whoever gets no answer is told so in the end.
import type { Context } from "../core/context.js";
import { Flow } from "../core/flow.js";
import type { Timer } from "../core/clock.js";
import { errorOf } from "../stanza/build.js";
import { StanzaError } from "../stanza/errors.js";
import type { JID } from "../stanza/jid.js";
import type { Stanza } from "../stanza/stanza.js";

/** As long as clients themselves wait for an answer, and more. */
const PATIENCE_MS = 120_000;

export interface Question {
  /** As it was asked, to an occupant. */
  readonly request: Stanza;
  /** Whom it has been passed on to. */
  readonly to: JID;
}

export class Unanswered {
  readonly #open = new Map<string, Question & { readonly timer: Timer }>();
  /** How many each account has asked. */
  readonly #counts = new Map<string, number>();

  countOf(asker: JID): number {
    return this.#counts.get(asker.toString()) ?? 0;
  }

  /** `id`: under which it is passed on. */
  open(id: string, question: Question, { clock, start }: Pick<Context, "clock" | "start">): void {
    const timer = clock.after(PATIENCE_MS, () => {
      this.close(id);
      const answer = errorOf(question.request, new StanzaError("remote-server-timeout"));
      if (answer) start(new Flow(answer, { kind: "server" }, "received"));
    });
    this.#open.set(id, { ...question, timer });
    this.#count(question, 1);
  }

  /** The request that this one answers, if it was asked. */
  answeredBy(from: JID, id: string | undefined): Stanza | undefined {
    const question = this.#open.get(id ?? "");
    return question?.to.equals(from) ? question.request : undefined;
  }

  close(id: string): void {
    const question = this.#open.get(id);
    if (!question) return;
    question.timer.cancel();
    this.#open.delete(id);
    this.#count(question, -1);
  }

  #count({ request: { from } }: Question, change: 1 | -1): void {
    const asker = from?.bare.toString() ?? "";
    const count = (this.#counts.get(asker) ?? 0) + change;
    if (count === 0) this.#counts.delete(asker);
    else this.#counts.set(asker, count);
  }
}
