import { describe, expect, it } from "@jest/globals";
import { features } from "../features.js";
import type { StreamInfo } from "../core/feature.js";
import { NS } from "../xml/namespaces.js";
import { conditionOf, World } from "./world.test.kit.js";

const STREAM: StreamInfo = { domain: "localhost", secure: true, authenticated: true, address: "::1", registrations: 0 };

async function withJuliet(config = "") {
  const world = await World.open(features, { accounts: ["juliet@localhost", "romeo@localhost"], config });
  return { world, juliet: await world.device("juliet@localhost/balcony") };
}

async function featuresOf(stream: StreamInfo, config = ""): Promise<string> {
  const { world } = await withJuliet(config);
  return world.core.features.flatMap((feature) => feature.streamFeatures?.(stream) ?? []).join("");
}

describe("software version", () => {
  it("is the server's name and version, never its operating system @1.8", async () => {
    const { juliet } = await withJuliet();
    const answer = await juliet.asks(`<iq type='get' to='localhost' id='1'><query xmlns='${NS.version}'/></iq>`);
    expect(answer.getChild("query")?.toString()).toBe(
      `<query xmlns="${NS.version}"><name>Rookery</name><version>0.1.0</version></query>`,
    );
  });
});

describe("ping", () => {
  it.each(["to='localhost'", "to='juliet@localhost'", ""])("of the server is answered: %s @1.8", async (to) => {
    const { juliet } = await withJuliet();
    const answer = await juliet.asks(`<iq type='get' ${to} id='1'><ping xmlns='${NS.ping}'/></iq>`);
    expect([answer.attrs["type"], answer.children]).toEqual(["result", []]);
  });

  it.each(["romeo@localhost", "nobody@localhost", "nobody@localhost/x"])(
    "of others is refused, whether they exist or not: %s @1.8",
    async (to) => {
      const { juliet } = await withJuliet();
      const answer = await juliet.asks(`<iq type='get' to='${to}' id='1'><ping xmlns='${NS.ping}'/></iq>`);
      expect(conditionOf(answer)).toBe("service-unavailable");
    },
  );
});

describe("entity time", () => {
  it("is the clock's, in UTC, with an offset @1.8", async () => {
    const { juliet } = await withJuliet();
    const answer = await juliet.asks(`<iq type='get' to='localhost' id='1'><time xmlns='${NS.time}'/></iq>`);
    const time = answer.getChild("time", NS.time);
    expect(time?.getChildText("utc")).toBe("2030-01-01T00:00:00.000Z");
    expect(time?.getChildText("tzo")).toMatch(/^[+-]\d\d:\d\d$/);
  });
});

describe("the legacy session", () => {
  it.each(["to='localhost'", ""])("is granted: %s @1.5", async (to) => {
    const { juliet } = await withJuliet();
    const answer = await juliet.asks(`<iq type='set' ${to} id='1'><session xmlns='${NS.session}'/></iq>`);
    expect(answer.attrs["type"]).toBe("result");
  });

  it("is announced as optional after login only @1.5", async () => {
    const session = `<session xmlns="${NS.session}"><optional/></session>`;
    expect(await featuresOf(STREAM)).toContain(session);
    expect(await featuresOf({ ...STREAM, authenticated: false })).not.toContain(session);
  });
});

describe("stream limits", () => {
  it("are told, smaller ones before login @1.8", async () => {
    const ns = "urn:xmpp:stream-limits:0";
    expect(await featuresOf({ ...STREAM, authenticated: false })).toContain(
      `<limits xmlns="${ns}"><max-bytes>10240</max-bytes><idle-seconds>30</idle-seconds></limits>`,
    );
    expect(await featuresOf(STREAM)).toContain(
      `<limits xmlns="${ns}"><max-bytes>262144</max-bytes><idle-seconds>1800</idle-seconds></limits>`,
    );
  });

  it("that are off are not told @1.8", async () => {
    expect(await featuresOf(STREAM, "[limits]\nidle_timeout = 0")).not.toContain("idle-seconds");
  });
});
