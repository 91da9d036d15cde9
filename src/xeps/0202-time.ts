// XEP-0202: the server's time in UTC and its offset from it.
import type { Context } from "../core/context.js";
import type { Feature } from "../core/feature.js";
import { xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";

export function time(context: Pick<Context, "clock">): Feature {
  return {
    name: "time",
    specs: [{ xep: 202, version: "2.0", status: "complete", since: "0.1.0" }],
    disco: { server: [NS.time] },
    iq: {
      server: {
        "get urn:xmpp:time time": () => {
          const now = new Date(context.clock.now());
          const utc = now.toISOString();
          return [xml("time", { xmlns: NS.time }, xml("tzo", {}, offsetText(now)), xml("utc", {}, utc))];
        },
      },
    },
  };
}

/** XEP-0082 "Time Zone Definition": hours and minutes east of UTC. */
function offsetText(now: Date): string {
  const minutes = -now.getTimezoneOffset();
  const size = Math.abs(minutes);
  const part = (value: number) => String(value).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${part(Math.floor(size / 60))}:${part(size % 60)}`;
}
