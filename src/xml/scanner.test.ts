import { describe, expect, it } from "@jest/globals";
import { AFTER_LOGIN, BEFORE_LOGIN, type ScannerLimits, UNLIMITED } from "./limits.js";
import { type Fragment, Scanner, type ScannerHandler, XmlFault } from "./scanner.js";

const HEAD = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='a.example'>";

class Log implements ScannerHandler {
  readonly events: string[] = [];
  readonly fragments: Fragment[] = [];
  onFragment: (fragment: Fragment) => void = () => undefined;

  head(): void {
    this.events.push("head");
  }

  fragment(fragment: Fragment): void {
    this.events.push(fragment.name);
    this.fragments.push(fragment);
    this.onFragment(fragment);
  }

  end(): void {
    this.events.push("end");
  }
}

function open(limits: ScannerLimits = AFTER_LOGIN): { log: Log; scanner: Scanner } {
  const log = new Log();
  const scanner = new Scanner(log, limits);
  scanner.write(Buffer.from(HEAD));
  return { log, scanner };
}

function conditionOf(action: () => void): string | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof XmlFault) return error.condition;
    throw error;
  }
  return undefined;
}

function sent(text: string, limits?: ScannerLimits): string | undefined {
  return conditionOf(() => open(limits).scanner.write(Buffer.from(text)));
}

describe("the scanner", () => {
  it("tells name, namespaces and attributes of the stream head @1.2", () => {
    const heads: unknown[] = [];
    const handler = { head: (head: unknown) => heads.push(head), fragment: () => undefined, end: () => undefined };
    const text = "<s:stream xmlns='jabber:client' xmlns:s='urn:s' from='d&amp;d@x' s:a='1' xml:lang='de'>";
    new Scanner(handler, AFTER_LOGIN).write(Buffer.from(text));
    expect(heads).toMatchObject([{ name: "stream", ns: "urn:s", contentNs: "jabber:client" }]);
    const [head] = heads as { attributes: { ns: string }[]; attribute: (name: string) => string }[];
    expect(["from", "s:a", "xml:lang", "to"].map((name) => head?.attribute(name))).toEqual([
      "d&d@x",
      "1",
      "de",
      undefined,
    ]);
    expect(head?.attributes.at(-1)?.ns).toBe("http://www.w3.org/XML/1998/namespace");
  });

  it("tells the direct children of a stanza with their namespaces and places @1.2", () => {
    const { log, scanner } = open();
    scanner.write(Buffer.from("<message><body>é<b/></body> <x:y xmlns:x='urn:&lt;'><x:z/></x:y><stream:e/></message>"));
    const [fragment] = log.fragments;
    const children = fragment?.children.map(({ name, ns, start, end }) => [
      name,
      ns,
      fragment.text.slice(start, end).length,
    ]);
    expect(children).toEqual([
      ["body", "jabber:client", 19],
      ["y", "urn:<", 36],
      ["e", "http://etherx.jabber.org/streams", 11],
    ]);
    expect(fragment?.text.slice(fragment.bodyEnd)).toBe("</message>");
  });

  it("ignores white space between stanzas, without limit @1.2", () => {
    const { log, scanner } = open(BEFORE_LOGIN);
    for (let i = 0; i < 100; i++) scanner.write(Buffer.from(" \t\r\n".repeat(100)));
    scanner.write(Buffer.from("<presence/> </stream:stream> \n"));
    expect(log.events).toEqual(["head", "presence", "end"]);
  });

  it("ends a stream whose head was an empty tag @1.2", () => {
    const log = new Log();
    new Scanner(log, AFTER_LOGIN).write(Buffer.from("<stream/>"));
    expect(log.events).toEqual(["head", "end"]);
  });

  it("treats stream tags inside a stanza as mere content @X9", () => {
    const { log, scanner } = open();
    scanner.write(Buffer.from("<message><stream:stream><stream:error/></stream:stream></message><presence/>"));
    expect(log.events).toEqual(["head", "message", "presence"]);
  });

  it.each(["<message></stream:stream>", "</stream:stream><presence/>", `${HEAD}</stream>`])(
    "refuses %j @X9",
    (text) => {
      expect(sent(text)).toBe("not-well-formed");
    },
  );

  it("reads the rest of the chunk as a new document after a restart by its handler @1.2", () => {
    const { log, scanner } = open();
    log.onFragment = (fragment) => {
      if (fragment.name === "auth") scanner.restart();
    };
    scanner.write(Buffer.from(`<auth/><?xml version='1.0'?>${HEAD}<presence/>`));
    expect(log.events).toEqual(["head", "auth", "head", "presence"]);
  });

  describe("after a restart with a gap", () => {
    const restarted = () => {
      const { log, scanner } = open();
      log.onFragment = (fragment) => {
        if (fragment.name === "response") scanner.restart("after a gap");
      };
      return { log, scanner };
    };

    it.each([
      ["none", ["<response/>", `<?xml version='1.0'?>${HEAD}<presence/>`]],
      ["in the same chunk", [`<response/>\n<?xml version='1.0'?>${HEAD}<presence/>`]],
      ["in chunks of its own", ["<response/>\r", "\n", `<?xml version='1.0'?>${HEAD}<presence/>`]],
      ["in front of a split declaration", ["<response/>", " \t<?x", `ml version='1.0'?>${HEAD}<presence/>`]],
      ["and no declaration", ["<response/>\n", `${HEAD}<presence/>`]],
    ])("white space in front of the new document ends the old one: %s @1.2 @1.4", (_, chunks) => {
      const { log, scanner } = restarted();
      for (const chunk of chunks) scanner.write(Buffer.from(chunk));
      expect(log.events).toEqual(["head", "response", "head", "presence"]);
    });

    it.each(["<?xml version='1.0'?><?xml version='1.0'?>", "\n<?xml version='1.1'?>", "\nx", " ".repeat(300_000)])(
      "nothing else is let through, nor without end, case %# @1.2",
      (text) => {
        const { scanner } = restarted();
        expect(() => scanner.write(Buffer.from(`<response/>${text}`))).toThrow(XmlFault);
      },
    );

    it("a document that begins at once has no white space in front of its declaration @1.2 @A1", () => {
      const { log, scanner } = open();
      log.onFragment = () => scanner.restart();
      expect(() => scanner.write(Buffer.from("<starttls/>\n<?xml version='1.0'?>"))).toThrow(XmlFault);
    });
  });

  it("drops the rest of the chunk and all that follows once stopped @1.2 @A1", () => {
    const { log, scanner } = open();
    log.onFragment = () => scanner.stop();
    scanner.write(Buffer.from("<starttls/><presence/><mess"));
    scanner.write(Buffer.from("age/>\x00"));
    expect(log.events).toEqual(["head", "starttls"]);
  });

  it("drops the rest of the chunk when stopped and restarted at once, then begins anew @1.2 @A1", () => {
    const { log, scanner } = open();
    log.onFragment = () => {
      scanner.stop();
      scanner.restart();
    };
    scanner.write(Buffer.from(`<starttls/>${HEAD}<presence/>`));
    scanner.write(Buffer.from(`${HEAD}<iq/>`));
    expect(log.events).toEqual(["head", "starttls", "head", "iq"]);
  });

  it("keeps what comes while it is suspended, in order @1.2", () => {
    const { log, scanner } = open();
    log.onFragment = () => scanner.suspend();
    scanner.write(Buffer.from("<auth/><a/><b"));
    scanner.write(Buffer.from("/><c/>"));
    const steps = ["auth", "a", "b", "c"].map(() => {
      const names = log.events.slice(1);
      scanner.resume();
      return names;
    });
    expect(steps).toEqual([["auth"], ["auth", "a"], ["auth", "a", "b"], ["auth", "a", "b", "c"]]);
  });

  it("drops every chunk that came while it was suspended, once stopped and restarted among them @1.2 @A1", () => {
    const { log, scanner } = open();
    log.onFragment = (fragment) => {
      if (fragment.name === "auth") return scanner.suspend();
      scanner.stop();
      scanner.restart();
    };
    scanner.write(Buffer.from("<auth/>"));
    scanner.write(Buffer.from("<starttls/>"));
    scanner.write(Buffer.from(`${HEAD}<injected/>`));
    scanner.resume();
    scanner.write(Buffer.from(`${HEAD}<iq/>`));
    expect(log.events).toEqual(["head", "auth", "starttls", "head", "iq"]);
  });

  it("reads nothing more after a fault @1.2", () => {
    const { log, scanner } = open();
    expect(conditionOf(() => scanner.write(Buffer.from("<a></b>")))).toBe("not-well-formed");
    scanner.write(Buffer.from("<presence/>"));
    expect(log.events).toEqual(["head"]);
  });

  it("may not be written to by its own handler", () => {
    const { log, scanner } = open();
    log.onFragment = () => scanner.write(Buffer.from(" "));
    expect(() => scanner.write(Buffer.from("<presence/>"))).toThrow("its own handler");
  });

  it("keeps two split streams apart @1.2", () => {
    const one = open();
    const two = open();
    one.scanner.write(Buffer.from("<message><a xmlns='urn:1'>"));
    two.scanner.write(Buffer.from("<message><b xmlns='urn:2'>"));
    one.scanner.write(Buffer.from("</a></message>"));
    two.scanner.write(Buffer.from("</b></message>"));
    expect([one, two].map(({ log }) => log.fragments[0]?.children[0]?.ns)).toEqual(["urn:1", "urn:2"]);
  });
});

describe("canonical form (ruling 14)", () => {
  it.each([
    ["<message><body>x</body><x:a xmlns:x='urn:x' x:b='1'/></message>", true],
    ["<message xmlns='jabber:client'><a xmlns=''/></message>", true],
    ["<message><stream:a/></message>", false],
    ["<message><a stream:b='1'/></message>", false],
    ["<message stream:b='1'/>", false],
    ["<message xmlns:x='urn:x'/>", false],
    ["<c:message xmlns:c='jabber:client'/>", false],
    ["<message><body xmlns='jabber:client'/></message>", false],
    ["<message><x xmlns='urn:x'><y xmlns='jabber:&#115;erver'/></x></message>", false],
    ["<message><x xmlns='urn:x' xmlns:c='jabber:component:accept'/></message>", false],
    ["<message><body><![CDATA[x]]></body></message>", false],
  ])("of %s: %s @1.2", (text, canonical) => {
    const { log, scanner } = open();
    scanner.write(Buffer.from(text));
    expect(log.fragments[0]?.canonical).toBe(canonical);
  });
});

describe("limits", () => {
  const at = (limit: Partial<ScannerLimits>): ScannerLimits => ({ ...UNLIMITED, ...limit });
  const name = "n".repeat(100);

  it.each<readonly [string, Partial<ScannerLimits>, string, string]>([
    ["bytes", { bytes: 104 }, `<a>${"x".repeat(97)}</a>`, `<a>${"x".repeat(98)}</a>`],
    ["depth", { depth: 3 }, "<a><b><c/><c></c></b></a>", "<a><b><c><d/></c></b></a>"],
    ["elements", { elements: 3 }, "<a><b/><b/></a>", "<a><b/><b/><b/></a>"],
    ["attributes", { attributes: 4 }, "<a c='1' d='2' e='3' f='4'/>", "<a xmlns:b='1' c='1' d='2' e='3' f='4'/>"],
    [
      "totalAttributes",
      { totalAttributes: 4 },
      "<a c='1'><b d='1' e='1' f='1'/></a>",
      "<a c='1'><b d='1' e='1'/><c f='1' g='1'/></a>",
    ],
    ["nameBytes of elements", { nameBytes: 100 }, `<${name}/>`, `<${name}n/>`],
    ["nameBytes of attributes", { nameBytes: 100 }, `<a ${name}=''/>`, `<a ${name}n=''/>`],
    [
      "namespaces",
      { namespaces: 2 },
      "<a xmlns='1'><b xmlns='2'/><b xmlns='3'><c/></b></a>",
      "<a xmlns='1'><b xmlns='2'><c xmlns='3'/></b></a>",
    ],
    ["namespaceBytes", { namespaceBytes: 40 }, `<a xmlns:x='${"u".repeat(40)}'/>`, `<a xmlns:x='${"u".repeat(41)}'/>`],
  ])("on %s are policy-violation when crossed, whatever the pieces @1.2 @X3", (_, limit, inside, outside) => {
    for (const step of [1, 7, 1000])
      for (const [text, condition] of [
        [inside, undefined],
        [outside, "policy-violation"],
      ] as const) {
        const { scanner, log } = open(AFTER_LOGIN);
        scanner.limits = at(limit);
        const pieces = Array.from({ length: Math.ceil(text.length / step) }, (_value, i) =>
          text.slice(i * step, (i + 1) * step),
        );
        expect(conditionOf(() => pieces.forEach((piece) => scanner.write(Buffer.from(piece))))).toBe(condition);
        expect(log.fragments).toHaveLength(condition === undefined ? 1 : 0);
      }
  });

  it("hold for the stream head and all before it @X5", () => {
    const start = (text: string) => conditionOf(() => new Scanner(new Log(), BEFORE_LOGIN).write(Buffer.from(text)));
    expect(start(`<stream a='${"x".repeat(10_000)}'>`)).toBeUndefined();
    expect(start(`<stream a='${"x".repeat(1_000_000)}'`)).toBe("policy-violation");
    expect(start(`${" ".repeat(10_200)}<stream a='${"x".repeat(100)}'>`)).toBe("policy-violation");
    expect(start(" ".repeat(20_000))).toBe("policy-violation");
    expect(start(`<stream a='${"x".repeat(10_200)}'`)).toBeUndefined();
  });

  it("grow at runtime, from the next stanza on @1.2", () => {
    const { scanner, log } = open(BEFORE_LOGIN);
    log.onFragment = () => {
      scanner.limits = AFTER_LOGIN;
    };
    const large = `<message><body>${"x".repeat(20_000)}</body></message>`;
    scanner.write(Buffer.from(`<auth/>${large}`));
    expect(log.events).toEqual(["head", "auth", "message"]);
    expect(sent(large, BEFORE_LOGIN)).toBe("policy-violation");
  });

  it.each([
    ["elements", "<m>" + "<a/>".repeat(250_000)],
    ["attributes", "<m " + Array.from({ length: 100_000 }, (_, i) => `a${i}='' `).join("")],
    ["namespaces", "<m>" + Array.from({ length: 40_000 }, (_, i) => `<a xmlns:n='u${i}'/>`).join("")],
    ["depth", "<m>" + "<a>".repeat(100_000)],
    ["a name", "<" + "m".repeat(1_000_000)],
    ["text", "<m>" + "x".repeat(1_000_000)],
  ])("stop a megabyte of %s @X3 @X4", (_, text) => {
    expect(sent(text)).toBe("policy-violation");
  });
});
