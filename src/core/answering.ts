// An answer that takes longer than its request: it is worked on once the request is released, and does not hold the lane (rulings 6).
import { errorOf, resultOf } from "../stanza/build.js";
import { StanzaError } from "../stanza/errors.js";
import type { Stanza } from "../stanza/stanza.js";
import type { Answer } from "./feature.js";
import type { Flow } from "./flow.js";
import type { Log } from "./log.js";

export interface AnsweringPorts {
  readonly log: Log;
  readonly send: (answer: Stanza) => void;
}

/** `work` begins when the flow is released. Until it has ended the sender counts it as a request under way. */
export function answerLater(
  flow: Flow,
  request: Stanza,
  work: () => Promise<Answer>,
  { log, send }: AnsweringPorts,
): void {
  flow.atRelease(() => {
    flow.session?.lane.answerBegins();
    void work()
      .catch((error: unknown) => {
        log.error({ ev: "core.handler_failed", kind: "iq", err: error });
        return new StanzaError("internal-server-error");
      })
      .then((answer) => {
        const stanza = answer instanceof StanzaError ? errorOf(request, answer) : resultOf(request, ...answer);
        if (stanza) send(stanza);
      })
      .finally(() => flow.session?.lane.answerEnds());
  });
}
