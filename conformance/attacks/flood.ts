// Row X5: thousands of connections that never log in, from many addresses. The server bounds what each may send and how long it may
// stay, and its memory afterwards is what it was after a first such wave (rulings 28).
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { RunningServer } from "../servers/server.js";
import { say } from "../part.js";
import { auth, header, Line } from "./line.js";
import { type Attack, expectThat } from "./suite.js";

/** Connections in one wave, all open at the same time. */
const WAVE = 2500;
/** Until V8's heap and malloc have found their size. */
const WARM_UP = 15_000;
/**
 * The last waves after each of which memory is looked at, before and after alike; the least counts. After one wave or another malloc keeps
 * 20 MiB that it gives back later, because something above them on its heap is still in use; what has leaked is there after each.
 */
const LOOKED_AT = 4;
const PER_ADDRESS = 250;
/** What the server of these attacks is set to: the default is 1000. */
export const CONNECTIONS_PER_ADDRESS = 300;

const ALLOWED_GROWTH = 1.1;
const LOOKS = 3;
const LOOK_MS = 500;

type Kind = (line: Line, server: RunningServer) => void;

/** The attackers: those that stay below the limit are left to the deadline, the others are thrown out at once. */
const KINDS: readonly Kind[] = [
  () => undefined,
  (line) => line.send(`<stream:stream a='${"x".repeat(9000)}`),
  (line, { domain }) => line.send(`${header(domain)}<iq id='${"x".repeat(9000)}`),
  (line, { domain }) => line.send(`${header(domain)}${auth("SCRAM-SHA-256", "n,,n=romeo,r=abc")}${" ".repeat(5000)}`),
  (line) => line.send(`<stream:stream a='${"x".repeat(1_000_000)}`),
  (line, { domain }) => line.send(`${header(domain)}<iq type='get' id='1'>${"<a>".repeat(300_000)}`),
];

async function wave(server: RunningServer): Promise<void> {
  const lines: Line[] = [];
  for (let n = 0; n < WAVE; n++) {
    const address = Math.floor(n / PER_ADDRESS);
    const line = await Line.open({
      port: server.port,
      from: `127.0.${1 + Math.floor(address / 200)}.${1 + (address % 200)}`,
    });
    KINDS[n % KINDS.length]?.(line, server);
    lines.push(line);
  }
  await Promise.all(lines.map((line) => line.closed()));
  const tooLarge = lines.filter((_, n) => n % KINDS.length >= 4);
  const unheard = tooLarge.filter(({ heard }) => heard !== "" && !heard.includes("<policy-violation"));
  expectThat(unheard.length === 0, `${unheard.length} were not refused: ${unheard[0]?.heard ?? ""}`);
}

function residentBytes(pid: number): number {
  const [, kibibytes = "0"] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kibibytes) * 1024;
}

interface Memory {
  readonly resident: number;
  /** What is alive on the JavaScript heap: hardly any noise, so that a small leak shows. */
  readonly alive: number;
}

/** The memory when garbage has been collected (collect.ts); asked for some times, because freed pages go back late. */
async function settled(pid: number, heapFile: string): Promise<Memory> {
  let memory = UNKNOWN;
  for (let look = 0; look < LOOKS; look++) {
    process.kill(pid, "SIGUSR2");
    await delay(LOOK_MS);
    memory = least(memory, { resident: residentBytes(pid), alive: Number(readFileSync(heapFile, "utf8")) });
  }
  return memory;
}

const UNKNOWN: Memory = { resident: Infinity, alive: Infinity };

function least(one: Memory, other: Memory): Memory {
  return { resident: Math.min(one.resident, other.resident), alive: Math.min(one.alive, other.alive) };
}

function describe({ resident, alive }: Memory): string {
  const mebibytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  return `${mebibytes(resident)} resident (${mebibytes(alive)} alive)`;
}

/** So many connections, and the least memory after each of the last waves. */
async function waves(server: RunningServer, connections: number, heapFile: string): Promise<Memory> {
  let memory = UNKNOWN;
  for (let left = connections - WAVE; left >= 0; left -= WAVE) {
    await wave(server);
    if (left < LOOKED_AT * WAVE) memory = least(memory, await settled(server.pid, heapFile));
  }
  return memory;
}

/** `connections` in waves, after some more to warm up. The server writes the size of its heap to the file (collect.ts). */
export function flood(connections: number, heapFile: string): readonly Attack[] {
  return [
    {
      name: `${connections} connections that never log in leave no more memory behind than the ${WARM_UP} before them @X5`,
      run: async (server) => {
        const before = await waves(server, WARM_UP, heapFile);
        const after = await waves(server, connections, heapFile);
        say(`counted ${WARM_UP + connections} connections that never logged in`);
        say(`counted ${describe(before)} after the first ${WARM_UP}, ${describe(after)} after all`);
        expectThat(after.resident <= before.resident * ALLOWED_GROWTH, `${ALLOWED_GROWTH} times as much, or more`);
        expectThat(after.alive <= before.alive * ALLOWED_GROWTH, `${ALLOWED_GROWTH} times as much alive, or more`);
      },
    },
    {
      name: "one address has no more than its share, and others still come in @X5",
      run: async (server) => {
        const lines: Line[] = [];
        const one = { port: server.port, from: "127.0.9.9" };
        for (let n = 0; n < CONNECTIONS_PER_ADDRESS; n++) lines.push(await Line.open(one));
        const above = await Line.open(one);
        above.send(header(server.domain));
        await above.closed();
        expectThat(above.heard === "", `it was let in: ${above.heard}`);
        const other = await Line.open({ port: server.port, from: "127.0.9.10" });
        other.send(header(server.domain));
        await other.until(/<\/stream:features>/);
        for (const line of [...lines, other]) line.destroy();
      },
    },
    {
      name: "handshakes on the direct TLS port count like any other connection @X5",
      run: async (server) => {
        const lines: Line[] = [];
        const one = { port: server.directTlsPort, from: "127.0.9.11" };
        for (let n = 0; n < CONNECTIONS_PER_ADDRESS; n++) lines.push(await Line.open(one));
        const above = await Line.open(one);
        await above.closed();
        expectThat(lines[0]?.isEnded === false, "it was let in, and closed only at the deadline");
        for (const line of lines) line.destroy();
      },
    },
  ];
}
