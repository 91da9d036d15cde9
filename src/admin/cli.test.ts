import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import type { LoadedConfig } from "../core/config.js";
import { StoreFault } from "../storage/port.js";
import { AdminFault } from "./actions.js";
import type { AdminActions } from "./actions.js";
import { checkEndpoint, checkFolder, checkNames, listenFault, type Names } from "./check.js";
import { runCli } from "./cli.js";
import type { CliPorts } from "./cli.js";
import { controlPath } from "./control-path.js";
import { ControlServer, controlRequest, isServed } from "./control.js";

const EXPORTED = 3000; // lines, more than one write takes

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rookery-cli-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Accounts in memory. */
function accounts(): AdminActions & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    addUser: (jid, password) => {
      if (kept.has(jid)) return Promise.reject(new AdminFault(`${jid} exists already`));
      kept.set(jid, password);
      return Promise.resolve();
    },
    setPassword: (jid, password) => Promise.resolve(void kept.set(jid, password)),
    deleteUser: (jid) => Promise.resolve(void kept.delete(jid)),
    eraseUser: (jid) => Promise.resolve({ documents: kept.delete(jid) ? 2 : 0, messages: 3 }),
    // eslint-disable-next-line @typescript-eslint/require-await -- the shape of a stream
    async *exportUser(jid) {
      if (!kept.has(jid)) throw new AdminFault(`nothing is stored about ${jid}`);
      for (let n = 0; n < EXPORTED; n++) yield JSON.stringify({ n, text: "\u2028ü".repeat(50) });
    },
    listUsers: (domain) =>
      Promise.resolve([...kept.keys()].filter((jid) => domain === undefined || jid.endsWith(`@${domain}`))),
  };
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(args: string, ports: Partial<CliPorts> = {}, input: readonly string[] = []): Promise<Ran> {
  let [out, err] = ["", ""];
  const code = await runCli({
    args: args.split(" ").filter(Boolean),
    env: { ROOKERY_DATA_DIR: folder },
    stdin: stdin(input),
    out: (text) => (out += text),
    err: (text) => (err += text),
    version: "0.1.0",
    start: () => Promise.resolve(0),
    openAccounts: () => Promise.reject(new AdminFault("not here")),
    check: () => Promise.resolve([]),
    migrate: () => Promise.reject(new AdminFault("not here")),
    ...ports,
  });
  return { code, out, err };
}

function stdin(chunks: readonly string[], terminal = false): CliPorts["stdin"] {
  return {
    isTTY: terminal,
    setRawMode: () => undefined,
    // eslint-disable-next-line @typescript-eslint/require-await -- the shape of a stream
    async *[Symbol.asyncIterator]() {
      yield* chunks;
    },
  };
}

describe("the command line", () => {
  it.each(["", "start", "--config FILE", "start --config FILE", "--config FILE start"])(
    "rookery %s starts the server @1.1 @1.10",
    async (args) => {
      const file = join(folder, "some.toml");
      writeFileSync(file, 'domain = "a.example"\n');
      const started: LoadedConfig[] = [];
      const ran = await run(args.replace("FILE", file), {
        start: (loaded) => Promise.resolve(started.push(loaded) > 0 ? 0 : 1),
      });
      expect(ran).toEqual({ code: 0, out: "", err: "" });
      expect(started.map(({ config }) => config.domain)).toEqual([args.includes("FILE") ? "a.example" : "localhost"]);
    },
  );

  it.each(["strat", "--confg x", "user", "user ad x@y", "user add", "start now", "user delete a@b c@d"])(
    "rookery %s is used wrongly: exit code 2, with the usage @1.10 @1.bad",
    async (args) => {
      const ran = await run(args);
      expect(ran.code).toBe(2);
      expect(ran.err).toContain("Usage: rookery");
      expect(ran.out).toBe("");
    },
  );

  it("names the command that was probably meant @1.10 @1.bad", async () => {
    expect((await run("strat")).err).toMatch(/^there is no command "strat"; did you mean "start"\?$/m);
    expect((await run("start now")).err).toMatch(/^start takes no argument, such as "now"$/m);
  });

  it.each(["--help", "user --help"])("rookery %s prints the usage: exit code 0 @1.10", async (args) => {
    const ran = await run(args);
    expect(ran).toMatchObject({ code: 0, err: "" });
    expect(ran.out).toContain("Usage: rookery");
  });

  it("prints its version and its settings @1.10", async () => {
    expect(await run("version")).toEqual({ code: 0, out: "rookery 0.1.0\n", err: "" });
    expect(await run("--version")).toEqual({ code: 0, out: "rookery 0.1.0\n", err: "" });
    expect((await run("config")).out).toMatch(/^data_dir = .* # env ROOKERY_DATA_DIR$/m);
  });

  it("ends with exit code 1 and a line per fault when the configuration is wrong @1.bad @1.10", async () => {
    const file = join(folder, "bad.toml");
    writeFileSync(file, "[c2s]\nlisen = []\n[log]\nlevel = 1\n");
    const ran = await run(`--config ${file}`);
    expect(ran.code).toBe(1);
    expect(ran.err.split("\n")).toEqual([
      expect.stringContaining(`rookery: ${file}:2:1: unknown key "lisen" in [c2s]; did you mean "listen"?`),
      expect.stringContaining(`rookery: ${file}:4:9: log.level must be one of`),
      "",
    ]);
    expect(await run("config --config /nowhere.toml")).toMatchObject({
      code: 1,
      err: expect.stringContaining("/nowhere.toml"),
    });
  });

  it("ends with exit code 1 and no stack when the start fails for a reason outside @1.bad", async () => {
    const fault = new StoreFault("locked", "the data folder is in use", "name another data_dir");
    expect(await run("", { start: () => Promise.reject(fault) })).toEqual({
      code: 1,
      out: "",
      err: "rookery: the data folder is in use: name another data_dir\n",
    });
  });

  it("shows the place of a fault that is ours", async () => {
    const ran = await run("", { start: () => Promise.reject(new Error("bug")) });
    expect(ran).toMatchObject({ code: 1, err: expect.stringMatching(/^rookery: Error: bug\n +at /) });
  });

  it("prints what check found, and fails if something is at fault @1.10", async () => {
    const findings = [
      { what: "a", state: "good", text: "is free" },
      { what: "b", state: "warning", text: "hm" },
    ] as const;
    expect(await run("check", { check: () => Promise.resolve(findings) })).toEqual({
      code: 0,
      out: "ok      a: is free\nwarning b: hm\n",
      err: "",
    });
    expect(
      (await run("check", { check: () => Promise.resolve([{ what: "c", state: "fault", text: "x" }]) })).code,
    ).toBe(1);
  });
});

describe("rookery migrate", () => {
  it("copies from one store to another and prints the counts @2.6", async () => {
    const asked: unknown[] = [];
    const migrate: CliPorts["migrate"] = (_, from, to) => {
      asked.push(from, to);
      return Promise.resolve({ documents: 3, logs: 2, entries: 40 });
    };
    expect(await run("migrate --from sqlite:rookery.db --to mongodb://127.0.0.1/rookery", { migrate })).toEqual({
      code: 0,
      out: "copied 3 documents and 40 messages in 2 logs; the counts agree on both sides\n",
      err: "",
    });
    expect(asked).toEqual([
      { driver: "sqlite", file: "rookery.db" },
      { driver: "mongodb", url: "mongodb://127.0.0.1/rookery" },
    ]);
  });

  it.each([
    ["migrate --to sqlite:b", "required option '--from <url>'"],
    ["migrate --from sqlite:a --to b", "It must be"],
    ["migrate --from memory: --to sqlite:b", "It must be"],
  ])("is used wrongly: %s @2.6", async (args, message) => {
    expect(await run(args)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
  });
});

describe("rookery user", () => {
  it("adds, lists, changes and deletes accounts while no server runs @1.10", async () => {
    const actions = accounts();
    let closed = 0;
    const ports = {
      openAccounts: () => Promise.resolve({ actions, close: () => Promise.resolve(void (closed += 1)) }),
    };
    expect(await run("user add juliet@a --password secret", ports)).toEqual({
      code: 0,
      out: "added juliet@a\n",
      err: "",
    });
    expect(await run("user add juliet@a --password x", ports)).toEqual({
      code: 1,
      out: "",
      err: "rookery: juliet@a exists already\n",
    });
    expect((await run("user add romeo@b", ports, ["pässw", "ord\nmore\n"])).code).toBe(0);
    expect(actions.kept.get("romeo@b")).toBe("pässword");
    expect((await run("user list", ports)).out).toBe("juliet@a\nromeo@b\n");
    expect((await run("user list b", ports)).out).toBe("romeo@b\n");
    expect((await run("user passwd juliet@a --password new", ports)).out).not.toContain("new\n");
    expect(actions.kept.get("juliet@a")).toBe("new");
    expect((await run("user delete juliet@a", ports)).code).toBe(0);
    expect((await run("user add x@a", ports, ["\n"])).err).toBe(
      "rookery: no password was given: nothing was changed\n",
    );
    expect(closed).toBe(7);
  });

  it("asks for the password on a terminal, twice and without showing it @1.10", async () => {
    const actions = accounts();
    const ports = { openAccounts: () => Promise.resolve({ actions, close: () => Promise.resolve() }) };
    const typed = await run("user add juliet@a", { ...ports, stdin: stdin(["sex", "\u007fcret\rsecret\r"], true) });
    expect(typed).toEqual({ code: 0, out: "added juliet@a\n", err: "Password for juliet@a: \nOnce more: \n" });
    expect(actions.kept.get("juliet@a")).toBe("secret");
    expect((await run("user passwd juliet@a", { ...ports, stdin: stdin(["a\rb\r"], true) })).err).toContain(
      "the two passwords differ",
    );
    expect((await run("user passwd juliet@a", { ...ports, stdin: stdin(["a\u0003"], true) })).err).toContain(
      "broken off",
    );
  });

  it("has the running server do it through the control socket @1.10", async () => {
    const actions = accounts();
    const control = await ControlServer.open(controlPath(folder), actions, (error) => expect(error).toBeUndefined());
    try {
      expect(statSync(controlPath(folder)).mode & 0o777).toBe(0o600);
      expect(await run("user add juliet@a --password x")).toEqual({ code: 0, out: "added juliet@a\n", err: "" });
      expect(await run("user add juliet@a --password x")).toEqual({
        code: 1,
        out: "",
        err: "rookery: juliet@a exists already\n",
      });
      expect((await run("user list")).out).toBe("juliet@a\n");
      const exported = (await run("user export juliet@a")).out.trimEnd().split("\n");
      expect(exported.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual([...Array(EXPORTED).keys()]);
      expect(await run("user export nobody@a")).toMatchObject({
        code: 1,
        err: "rookery: nothing is stored about nobody@a\n",
      });
      expect((await run("user erase juliet@a")).out).toBe(
        "erased 2 documents and 3 messages of juliet@a; nothing is left\n",
      );
    } finally {
      await control.close();
    }
    expect(await run("user list")).toMatchObject({ code: 1, err: "rookery: not here\n" });
  });
});

/** What the running server answers, whole. */
async function asked(path: string): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const lines of (await controlRequest(path, { do: "user.list" })) ?? []) all.push(...lines);
  return all;
}

describe("the control socket", () => {
  it("replaces one that a dead server left, and is gone after an orderly end", async () => {
    const path = controlPath(folder);
    writeFileSync(path, "");
    const control = await ControlServer.open(path, accounts(), () => undefined);
    expect(await asked(path)).toEqual([]);
    expect(await isServed(path)).toBe(true);
    await control.close();
    expect(await controlRequest(path, { do: "user.list" })).toBeUndefined();
  });

  it.each(["nonsense\n", '{"do":"user.fly"}\n', "x".repeat(70_000)])(
    "answers %.20s with a fault and goes on",
    async (line) => {
      const control = await ControlServer.open(controlPath(folder), accounts(), () => undefined);
      const answer = await new Promise<string>((resolve) => {
        const socket = connect(controlPath(folder), () => socket.write(line));
        let text = "";
        socket.on("data", (chunk) => (text += chunk.toString()));
        socket.on("error", () => undefined).on("close", () => resolve(text));
      });
      expect(JSON.parse(answer)).toEqual({ fault: expect.any(String) });
      expect(await asked(controlPath(folder))).toEqual([]);
      await control.close();
    },
  );

  it.each(["", '{"do":"user.export","jid":"juliet@a"}\n'])(
    "outlives somebody who leaves without the answer, having said %j @1.10",
    async (said) => {
      const errors: unknown[] = [];
      const endless = { ...accounts(), exportUser: lines };
      const control = await ControlServer.open(controlPath(folder), endless, (error) => errors.push(error));
      await new Promise<void>((resolve) => {
        const socket = connect(controlPath(folder), () => (said === "" ? socket.destroy() : socket.write(said)));
        socket.once("data", () => socket.destroy()).once("close", () => resolve());
      });
      expect(await asked(controlPath(folder))).toEqual([]);
      await control.close();
      expect(errors).toEqual([]);
    },
  );

  it("keeps its own errors in the log", async () => {
    const errors: unknown[] = [];
    const broken = { ...accounts(), listUsers: () => Promise.reject(new Error("bug")) };
    const control = await ControlServer.open(controlPath(folder), broken, (error) => errors.push(error));
    await expect(asked(controlPath(folder))).rejects.toThrow("the server failed; its log says why");
    expect(errors).toHaveLength(1);
    await control.close();
  });

  it("lies in a folder of the user's own when data_dir has too long a path", () => {
    const long = join(folder, "x".repeat(120));
    const path = controlPath(long, folder);
    expect(path).toMatch(/\/rookery-\d+\/[0-9a-f]{16}\.sock$/);
    expect(controlPath(long, folder)).toBe(path);
    mkdirSync(join(folder, "open", `rookery-${process.getuid?.() ?? 0}`), { recursive: true, mode: 0o755 });
    expect(() => controlPath(long, join(folder, "open"))).toThrow(/must be yours alone/);
  });
});

describe("rookery check", () => {
  it("tells a taken port from a free one @1.bad", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as AddressInfo;
    const at = { host: "127.0.0.1", port, ipv6Only: false };
    expect(await checkEndpoint("c2s.listen", at)).toEqual({
      what: `c2s.listen 127.0.0.1:${port}`,
      state: "fault",
      text: `port ${port} is taken by another program: stop it or choose another port`,
    });
    await new Promise((resolve) => taken.close(resolve));
    expect((await checkEndpoint("c2s.listen", at)).state).toBe("good");
  });

  it("looks at certificate and store, and says how to mend them @1.10", () => {
    const check = (more = ""): string => {
      writeFileSync(join(folder, "rookery.toml"), `[c2s]\nlisten = []\ndirect_tls = []\n${more}`);
      const main = fileURLToPath(new URL("../main.js", import.meta.url));
      const { status, stdout } = spawnSync(process.execPath, [main, "check"], { cwd: folder, encoding: "utf8" });
      return `${status ?? "none"}\n${stdout}`;
    };
    expect(check()).toMatch(
      /^0\n[^]*store: will be made\n[^]*certificate: will be made\n[^]*dns localhost: is a local name/,
    );
    mkdirSync(join(folder, "data"));
    writeFileSync(join(folder, "data/rookery.db"), "Dear diary\n".repeat(500));
    writeFileSync(join(folder, "key.pem"), "secret\n");
    const said = check('[tls]\ncertificate = "no.pem"\nkey = "key.pem"\n');
    expect(said).toMatch(/^1\n[^]*FAULT {3}store: .*is not a database of this server: name another file/);
    expect(said).toMatch(/FAULT {3}certificate: no\.pem: the certificate cannot be read/);
    expect(readFileSync(join(folder, "data/rookery.db"), "utf8")).toBe("Dear diary\n".repeat(500));
  });

  it("tells whether clients find the server by its domain @1.10", async () => {
    const listening = { plain: [5222], directTls: [5223] };
    const said = async (zone: Readonly<Record<string, number | string>>, at = listening): Promise<unknown> =>
      (await checkNames("a.chat", at, dns(zone))).map(({ state, text }) => `${state} ${text}`);
    expect(await said({ "a.chat": "192.0.2.1" })).toEqual(["good has an address"]);
    expect(await said({ "a.chat": "192.0.2.1" }, { plain: [5299], directTls: [] })).toEqual([
      expect.stringMatching(/^warning without SRV records clients try port 5222/),
    ]);
    expect(await said({})).toEqual([expect.stringMatching(/^warning a\.chat is not in DNS: add an A, AAAA or SRV/)]);
    expect(await said({ "_xmpp-client._tcp.a.chat": 5222, "_xmpps-client._tcp.a.chat": 443 })).toEqual([
      expect.stringMatching(/^warning the SRV record _xmpps-client\._tcp\.a\.chat names port 443/),
    ]);
    expect(await said({ "_xmpps-client._tcp.a.chat": 5223 })).toEqual([
      "good has SRV records for the ports listened on",
    ]);
    expect(await said({ "a.chat": "broken" })).toEqual([expect.stringMatching(/^warning DNS cannot be asked/)]);
  });

  it("takes a machine without IPv6 for a warning only", () => {
    const error = { code: "EAFNOSUPPORT" };
    expect(listenFault({ host: "::", port: 1, ipv6Only: true }, error).state).toBe("warning");
    expect(listenFault({ host: "10.9.8.7", port: 1, ipv6Only: false }, { code: "EADDRNOTAVAIL" }).state).toBe("fault");
  });

  it("looks at the data folder without making it @1.bad", () => {
    expect(checkFolder(folder).state).toBe("good");
    expect(checkFolder(join(folder, "a/b"))).toMatchObject({ state: "good", text: "will be made" });
    writeFileSync(join(folder, "file"), "");
    expect(checkFolder(join(folder, "file"))).toMatchObject({ state: "fault" });
  });

  it.each([
    ["EACCES", "the server's user may not write there: allow that, or choose another data_dir"],
    ["EROFS", "this file system is read-only: mount it for writing, or choose another data_dir"],
  ])("says in words why the data folder cannot be written to: %s @1.bad", (code, words) => {
    const refuse = (): never => {
      throw Object.assign(new Error(`${code}: no, access '${folder}'`), { code });
    };
    expect(checkFolder(folder, refuse).text).toBe(words);
    expect(checkFolder(join(folder, "a/b"), refuse)).toMatchObject({ state: "fault", text: `${folder}: ${words}` });
  });
});

/** More than a socket takes at once. */
// eslint-disable-next-line @typescript-eslint/require-await -- the shape of a stream
async function* lines(): AsyncGenerator<string> {
  for (let line = 0; line < EXPORTED; line++) yield "x".repeat(10_000);
}

/** DNS with some records: a port for an SRV record, an address for the others; "broken" for a server that does not answer. */
function dns(zone: Readonly<Record<string, number | string>>): Names {
  const asked = <T>(name: string, type: string, record: (value: never) => T): Promise<T[]> => {
    const value = zone[name];
    if (value === "broken") return Promise.reject(Object.assign(new Error("no answer"), { code: "ETIMEOUT" }));
    if (typeof value !== type) return Promise.reject(Object.assign(new Error("none"), { code: "ENOTFOUND" }));
    return Promise.resolve([record(value as never)]);
  };
  return {
    resolveSrv: (name: string) => asked(name, "number", (port) => ({ name: "host", port, priority: 0, weight: 0 })),
    resolve4: (name: string) => asked(name, "string", (address) => address),
    resolve6: (name: string) => asked(name, "none", (address) => address),
  };
}
