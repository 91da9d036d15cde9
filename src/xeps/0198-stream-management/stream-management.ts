// XEP-0198: how acknowledgements and resumption are asked for and answered on the wire. What is counted, kept and resumed is the core's
// business (core/management.ts, core/resumption.ts).
import { z } from "zod";
import { section, sectionOf } from "../../core/config.js";
import { kind, setting } from "../../core/config/values.js";
import type { Context } from "../../core/context.js";
import type { Feature, StreamPort } from "../../core/feature.js";
import type { Resumption } from "../../core/management.js";
import type { Gone, Wish } from "../../core/resumption.js";
import { Session } from "../../core/session.js";
import { type StanzaCondition, StreamError } from "../../stanza/errors.js";
import { type Element, xml } from "../../xml/element.js";
import { NS } from "../../xml/namespaces.js";
import { elementToWire } from "../../xml/serialize.js";
import { countIn, isTrue, secondsIn } from "./attributes.js";
import { spelling } from "./spelling.js";

const address = kind(
  'an address like "im.example:5222" or "[2001:db8::1]:5222", or "" for none',
  z.string().regex(/^$|^[^\s<>"'&]+$/),
);

/** The section [stream_management]. */
export const streamManagementSection = section("stream_management", "Acknowledgements and resumption (XEP-0198).", {
  location: setting(
    address,
    "",
    "Where clients should reconnect to resume their session: the address of this server among several.",
  ),
});

export function streamManagement(context: Context): Feature {
  const wire = new StreamManagement(context);
  return {
    name: "stream-management",
    specs: [{ xep: 198, version: "1.6.3", status: "complete", since: "0.1.0" }],
    config: streamManagementSection.schema,
    spelling,
    streamFeatures: ({ authenticated }) => (authenticated ? [xml("sm", { xmlns: NS.streamManagement })] : []),
    elements: {
      [`{${NS.streamManagement}}enable`]: (element: Element, stream: StreamPort) => wire.enable(element, stream),
      [`{${NS.streamManagement}}resume`]: (element: Element, stream: StreamPort) => wire.resume(element, stream),
      [`{${NS.streamManagement}}r`]: (_: Element, stream: StreamPort) => wire.request(stream),
      [`{${NS.streamManagement}}a`]: (element: Element, stream: StreamPort) => wire.answer(element, stream),
    },
  };
}

class StreamManagement {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** "Enabling Stream Management": after binding, once. */
  enable({ attrs }: Element, stream: StreamPort): void {
    const { session } = stream;
    if (!session || session.management) return fail(stream, "unexpected-request");
    const seconds = secondsIn(attrs["max"]);
    if (seconds === "invalid") return fail(stream, "bad-request");
    const wish: Wish = {
      resume: isTrue(attrs["resume"]) && !stream.isTemporary,
      waitMs: seconds === undefined ? undefined : seconds * 1000,
    };
    const resumption = this.#context.sessions().manage(session, wish);
    stream.tell(elementToWire(xml("enabled", { xmlns: NS.streamManagement, ...this.#terms(resumption) })));
  }

  #terms(resumption: Resumption | undefined): Readonly<Record<string, string>> {
    if (!resumption) return {};
    const { location } = sectionOf(this.#context.config, streamManagementSection);
    const max = Math.floor(resumption.waitMs / 1000);
    return {
      id: resumption.token,
      resume: "true",
      ...(Number.isFinite(max) && { max: String(max) }),
      ...(location !== "" && { location }),
    };
  }

  /** "Resumption": after login, instead of binding. */
  resume({ attrs }: Element, stream: StreamPort): void {
    const { user, session, sink } = stream;
    if (!user || session) return fail(stream, "unexpected-request");
    const h = countIn(attrs["h"]);
    const previd: unknown = attrs["previd"];
    if (h === undefined || typeof previd !== "string") return fail(stream, "bad-request");
    const work = async (): Promise<Session | undefined> => {
      const resumed = await this.#context.sessions().resume(user, previd, h, sink);
      if (resumed instanceof Session) return resumed;
      if (resumed instanceof StreamError) stream.close(resumed);
      else fail(stream, "item-not-found", resumed);
      return undefined;
    };
    stream.wait(work());
  }

  /** "Acks": the client asks. */
  request({ session, ...stream }: StreamPort): void {
    if (session?.management) session.management.requested();
    else fail(stream, "unexpected-request");
  }

  /** "Acks": the client tells. */
  answer({ attrs }: Element, stream: StreamPort): void {
    const management = stream.session?.management;
    if (!management) return fail(stream, "unexpected-request");
    const h = countIn(attrs["h"]);
    const fault =
      h === undefined ? new StreamError("bad-format", "h is a number below 2^32") : management.acknowledged(h);
    if (fault) stream.close(fault);
  }
}

function fail({ tell }: Pick<StreamPort, "tell">, condition: StanzaCondition, gone?: Gone): void {
  const h = gone?.handled === undefined ? {} : { h: String(gone.handled) };
  tell(elementToWire(xml("failed", { xmlns: NS.streamManagement, ...h }, xml(condition, { xmlns: NS.stanzaErrors }))));
}
