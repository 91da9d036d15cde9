import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { ConfigFault, loadConfig, section, sectionOf } from "./config.js";
import { printConfig } from "./config/print.js";
import { endpointText, forDomain, setting, whole } from "./config/values.js";
import { DEFAULT_LIMITS, LIMITS } from "./limits.js";

const load = (text: string, env: Record<string, string> = {}) => loadConfig({ text, file: "rookery.toml", env });

function problemsOf(text: string, env: Record<string, string> = {}): readonly string[] {
  try {
    load(text, env);
  } catch (error) {
    if (error instanceof ConfigFault) return error.problems;
    throw error;
  }
  return [];
}

describe("the configuration", () => {
  it("needs no file: everything has a default @1.10", () => {
    const { config, warnings } = loadConfig();
    expect(config).toMatchObject({
      domain: "localhost",
      domains: ["localhost"],
      data_dir: "./data",
      storage: { url: { driver: "sqlite", file: "rookery.db" }, timeout: 30_000 },
      c2s: { require_tls: true },
      tls: { certificate: [], key: [] },
      auth: { scram_iterations: 10_000, anonymous: false },
      registration: { mode: "closed" },
      archive: { default: "always", retention: { default: 31_536_000_000 }, quota: { default: 2 ** 30 } },
      muc: { host: "conference.<domain>", create: "users" },
      log: { level: "info", format: "pretty" },
    });
    expect(config.c2s.listen.map(endpointText)).toEqual(["0.0.0.0:5222", "[::]:5222"]);
    expect(config.c2s.listen[1]).toEqual({ host: "::", port: 5222, ipv6Only: true });
    expect(config.limits).toMatchObject({ ack_wait: 250, stanza_bytes: 262_144, preauth_bytes: 10_240 });
    expect(warnings).toEqual([]);
  });

  it("reads times and sizes once, into ms and bytes @1.10", () => {
    const { config } = load(
      '[limits]\nack_wait = "1s"\nstanza_bytes = "1MiB"\n[archive]\nretention = "30d"\nquota = 4096\n',
    );
    expect(config.limits.ack_wait).toBe(1000);
    expect(config.limits.stanza_bytes).toBe(1_048_576);
    expect(config.archive).toEqual({
      default: "always",
      retention: { default: 2_592_000_000 },
      quota: { default: 4096 },
    });
  });

  it("reads what differs from domain to domain, and refuses domains that are not served @2.3", () => {
    const head = 'domains = ["a.example", "b.example"]\n[archive]\n';
    const { config, settings } = load(`${head}retention = { default = "1y", "B.example" = "30d" }\n`);
    expect(forDomain(config.archive.retention, "a.example")).toBe(31_536_000_000);
    expect(forDomain(config.archive.retention, "b.example")).toBe(2_592_000_000);
    expect(forDomain(config.archive.retention, "constructor")).toBe(31_536_000_000);
    expect(settings.find(({ key }) => key === "retention")?.origin).toBe("rookery.toml:3:13");
    expect(() => load(`${head}quota = { default = 0, "c.example" = "1MiB" }\n`)).toThrow(
      "rookery.toml:3:9: archive.quota names c.example, which is no domain of this server (a.example, b.example)",
    );
    expect(() => load(`${head}quota = { "b.example" = "1MiB" }\n`)).toThrow("archive.quota must be a size");
  });

  it("takes 0 for a limit as off, so that nothing is ever above it @1.10", () => {
    expect(load("[limits]\nroster_items = 0\n").config.limits.roster_items).toBe(Infinity);
  });

  it("reads inline and dotted tables like written-out ones @1.10", () => {
    expect(load('c2s = { require_tls = true, listen = ["127.0.0.1:0"] }\n').config.c2s.listen).toHaveLength(1);
    expect(load('log.level = "debug"\n').config.log.level).toBe("debug");
  });

  it("lets the environment override the file, and tells where each setting came from @1.10", () => {
    const { config, origins } = load('domain = "a.example"\n[log]\nlevel = "warn"\n', {
      ROOKERY_DOMAIN: "b.example",
      ROOKERY_C2S_LISTEN: "127.0.0.1:0, [::1]:0",
      ROOKERY_AUTH_ANONYMOUS: "true",
      ROOKERY_LIMITS_DEPTH: "32",
      ROOKERY_LIMITS_ACK_WAIT: "1s",
      ROOKERY_SMACK: "/somewhere",
      ROOKERY_TOOLS: "/somewhere",
    });
    expect(config).toMatchObject({
      domain: "b.example",
      auth: { anonymous: true },
      limits: { depth: 32, ack_wait: 1000 },
    });
    expect(config.c2s.listen.map(endpointText)).toEqual(["127.0.0.1:0", "[::1]:0"]);
    expect(origins.get("domain")).toBe("env ROOKERY_DOMAIN");
    expect(origins.get("log.level")).toBe("rookery.toml:3:9");
    expect(origins.get("log.format")).toBe("default");
  });

  it("takes lists and tables in the environment as in the file @1.10", () => {
    const { config } = load("", {
      ROOKERY_C2S_LISTEN: '["127.0.0.1:25222", "[::1]:0"]',
      ROOKERY_C2S_DIRECT_TLS: "[]",
      ROOKERY_HTTP_LISTEN: "[::1]:0",
      ROOKERY_ARCHIVE_RETENTION: '{ default = "1d", localhost = "2d" }',
    });
    expect(config.c2s.listen.map(endpointText)).toEqual(["127.0.0.1:25222", "[::1]:0"]);
    expect(config.c2s.direct_tls).toEqual([]);
    expect(config.http.listen.map(endpointText)).toEqual(["[::1]:0"]);
    expect(config.archive.retention).toEqual({ default: 86_400_000, localhost: 172_800_000 });
    expect(problemsOf("", { ROOKERY_C2S_LISTEN: '["nowhere"]' })).toEqual([
      'env ROOKERY_C2S_LISTEN: c2s.listen must be a list of addresses like "0.0.0.0:5222" or "[::]:5222", not ["nowhere"]',
    ]);
  });

  it("serves several domains, the first being the main one @1.10", () => {
    const { config } = load('domains = ["A.example.", "b.example", "a.example"]\n');
    expect(config).toMatchObject({ domain: "a.example", domains: ["a.example", "b.example"] });
    expect(load('domains = ["a.example"]\n', { ROOKERY_DOMAIN: "c.example" }).config.domains).toEqual(["c.example"]);
  });

  it("warns once for a key whose feature is not there yet @1.10", () => {
    const { warnings } = load('[pubsub]\ncreate = "admins"\n[http]\ntls_listen = []\n');
    expect(warnings).toEqual([
      "rookery.toml:2:10: pubsub.create has no effect yet: its feature is not part of this version",
      "rookery.toml:4:14: http.tls_listen has no effect yet: its feature is not part of this version",
    ]);
  });

  it("takes a feature's own section @1.10", () => {
    const chess = section("chess", "Games.", { boards: setting(whole(1), 8, "Boards.") });
    const { config } = loadConfig({ text: "[chess]\nboards = 9\n", sections: [chess] });
    expect(sectionOf(config, chess).boards).toBe(9);
    expect(problemsOf("[chess]\nboards = 9\n")[0]).toContain("unknown section [chess]");
  });
});

describe("a mistake in the configuration", () => {
  it.each<[string, string]>([
    ["[c2s]\nrequre_tls = true\n", 'rookery.toml:2:1: unknown key "requre_tls" in [c2s]; did you mean "require_tls"?'],
    ['domian = "x"\n', 'rookery.toml:1:1: unknown key "domian"; did you mean "domain"?'],
    ["[c2x]\nlisten = []\n", "rookery.toml:2:1: unknown section [c2x]; did you mean [c2s]?"],
    ["[loging]\n", "rookery.toml:1:2: unknown section [loging]; did you mean [log]?"],
    ["zzzzzz = 1\n", 'rookery.toml:1:1: unknown key "zzzzzz"'],
    ["[c2s]\ndata_dir = 1\n", 'rookery.toml:2:1: unknown key "data_dir" in [c2s]; it belongs at the top of the file'],
    ["require_tls = true\n", 'rookery.toml:1:1: unknown key "require_tls"; it belongs in [c2s]'],
    ["c2s = 1\n", 'rookery.toml:1:1: "c2s" is a section: write [c2s] and its keys below'],
    ['[c2s]\nrequire_tls = "yes"\n', 'rookery.toml:2:15: c2s.require_tls must be true or false, not "yes"'],
    [
      '[limits]\nack_wait = "250"\n',
      'rookery.toml:2:12: limits.ack_wait must be a time like "250ms", "30s", "5min", "12h", "7d", "1y", or 0 (0 is off), not "250"',
    ],
    [
      "[limits]\nstanza_bytes = 100\n",
      'rookery.toml:2:16: limits.stanza_bytes must be a size like "512KiB", "10MB", "1GiB", or a whole number of bytes, at least 10000 bytes, or 0 for off, not 100',
    ],
    [
      "[auth]\nscram_iterations = 1\n",
      "rookery.toml:2:20: auth.scram_iterations must be a whole number from 4096 to 1000000, not 1",
    ],
    [
      '[log]\nlevel = "loud"\n',
      'rookery.toml:2:9: log.level must be one of "error", "warn", "info", "debug", not "loud"',
    ],
    [
      '[c2s]\nlisten = ["localhost:99999"]\n',
      'rookery.toml:2:10: c2s.listen must be a list of addresses like "0.0.0.0:5222" or "[::]:5222", not ["localhost:99999"]',
    ],
    ['domain = "a b"\n', 'rookery.toml:1:10: domain must be a domain name like "chat.example", not "a b"'],
    [
      '[storage]\nurl = "mongo://u:secret@h/db"\n',
      'rookery.toml:2:7: storage.url must be "sqlite:FILE" (relative to data_dir), "memory:" or "mongodb://HOST:PORT/NAME", not "mongo://u:(hidden)@h/db"',
    ],
    [
      '[tls]\nkey = "key.pem"\n',
      "rookery.toml:2:7: tls.certificate names 0 file(s) and tls.key 1: each certificate needs its key",
    ],
    [
      '[tls]\ncertificate = "a.pem"\n',
      "rookery.toml:2:15: tls.certificate names 1 file(s) and tls.key 0: each certificate needs its key",
    ],
    [
      '[archive]\nquota = { default = 0, "b" = "1GiB" }\n',
      "rookery.toml:2:9: archive.quota names b, which is no domain of this server (localhost)",
    ],
    ['domain = "a"\ndomains = ["b"]\n', 'rookery.toml:2:11: set either "domain" or "domains", not both'],
  ])("%j is named with its place and the mend @1.bad @1.10", (text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  it("is named even when it is not TOML at all @1.bad @1.10", () => {
    expect(problemsOf("a = = 1\n")).toEqual([expect.stringMatching(/^rookery\.toml:1:\d+: not TOML: /)]);
    expect(problemsOf("[log]\nlevel = 'info'\nlevel = 'warn'\n")[0]).toMatch(/^rookery\.toml:3:1: not TOML: /);
  });

  it("lists every problem at once, one line each @1.bad @1.10", () => {
    const problems = problemsOf("a = 1\n[c2s]\nb = 2\nrequire_tls = 3\n", {
      ROOKERY_LOG_LEVL: "info",
      ROOKERY_LOG_FORMAT: "xml",
    });
    expect(problems).toHaveLength(5);
    expect(problems).toContain("env ROOKERY_LOG_LEVL: unknown setting; did you mean ROOKERY_LOG_LEVEL?");
    expect(problems).toContain('env ROOKERY_LOG_FORMAT: log.format must be one of "pretty", "json", not "xml"');
    for (const problem of problems) expect(problem).not.toContain("\n");
  });

  it("says so when the file cannot be read @1.bad @1.10", () => {
    expect(() => loadConfig({ file: "/nowhere/rookery.toml" })).toThrow(
      /^\/nowhere\/rookery\.toml: the configuration file cannot be read: there is no such file: correct its name/,
    );
  });

  it("cannot reach into the objects of the program by a name like __proto__ @1.bad", () => {
    expect(problemsOf("[__proto__]\nx = 1\n")).toHaveLength(1);
    expect(problemsOf("[log]\nconstructor = 1\n")).toHaveLength(1);
  });
});

describe("printed settings", () => {
  it("are TOML that means the same, with the origin of each @1.10", () => {
    const loaded = load('domains = ["b\\"x\\\\".example"]\n'.replace('\\"x\\\\"', "x") + "[limits]\ndepth = 0\n", {
      ROOKERY_LOG_LEVEL: "debug",
    });
    const printed = printConfig(loaded);
    expect(printed).toMatch(/^depth = 0 +# rookery\.toml:3:9$/m);
    expect(printed).toMatch(/^level = "debug" +# env ROOKERY_LOG_LEVEL$/m);
    expect(printed).toMatch(/^ack_wait = "250ms" +# default$/m);
    expect(load(printed.replace(/^domain = .*$/m, "")).config).toEqual(loaded.config);
  });

  it("hide what is secret @1.10", () => {
    const chess = section("chess", "Games.", {
      token: setting({ expects: "a text", schema: z.string() }, "", "Key.", true),
    });
    const printed = printConfig(loadConfig({ text: '[chess]\ntoken = "hush"\n', sections: [chess] }));
    expect(printed).toMatch(/^token = "\(hidden\)"/m);
    expect(printed).not.toContain("hush");
  });
});

describe("the limits", () => {
  it("have a name, a unit and a meaning each", () => {
    for (const [name, row] of Object.entries(LIMITS)) {
      expect(name).toMatch(/^[a-z][a-z_]*$/);
      expect(row.doc).toMatch(/\.$/);
    }
    expect(Object.keys(DEFAULT_LIMITS)).toEqual(Object.keys(LIMITS));
  });
});
