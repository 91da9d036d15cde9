// `rookery check`: looks at what a server needs to run here, and says for each fault how to mend it.
import { constants, accessSync, existsSync, statSync } from "node:fs";
import { Resolver } from "node:dns/promises";
import { createServer, isIP } from "node:net";
import { dirname, resolve } from "node:path";
import { endpointText } from "../core/config/values.js";
import type { Endpoint } from "../core/config/values.js";
import { codeOf, linesForOperator, reasonOf, whyUnwritable } from "../core/reason.js";

/** One thing looked at. */
export interface Finding {
  readonly what: string;
  readonly state: "good" | "warning" | "fault";
  /** What was found and, if something is wrong, what to do. */
  readonly text: string;
}

/** What somebody else looks at: what is good about it and what will be trouble, or a fault with lines for the operator. */
export async function checkBy(
  what: string,
  look: () => Promise<{ readonly good: string; readonly warnings?: readonly string[] }>,
): Promise<readonly Finding[]> {
  try {
    const { good, warnings = [] } = await look();
    if (warnings.length === 0) return [{ what, state: "good", text: good }];
    return warnings.map((text) => ({ what, state: "warning", text }));
  } catch (error) {
    const lines = linesForOperator(error) ?? [reasonOf(error)];
    return lines.map((text) => ({ what, state: "fault", text }));
  }
}

/** The part of DNS that is asked. */
export type Names = Pick<Resolver, "resolveSrv" | "resolve4" | "resolve6">;

const NO_RECORD = ["ENOTFOUND", "ENODATA"];
/** Names that no DNS server is asked for (RFC 6761, RFC 6762). */
const LOCAL = /(?:^|\.)(?:localhost|local|test|example|invalid)$/;
const C2S_PORT = 5222; // RFC 6120 §3.2.2: tried where there is no SRV record

/** Whether clients that know only the domain find a port that this server listens on (RFC 6120 §3.2, XEP-0368). */
export async function checkNames(
  domain: string,
  listening: { readonly plain: readonly number[]; readonly directTls: readonly number[] },
  names: Names = new Resolver({ timeout: 2000, tries: 2 }),
): Promise<readonly Finding[]> {
  const look = async (): Promise<{ good: string; warnings?: readonly string[] }> => {
    if (isIP(domain) > 0 || LOCAL.test(domain)) return { good: "is a local name, not looked up" };
    const services = [
      { name: `_xmpp-client._tcp.${domain}`, ports: listening.plain },
      { name: `_xmpps-client._tcp.${domain}`, ports: listening.directTls },
    ];
    const found = await Promise.all(services.map(async (one) => ({ ...one, records: await srv(names, one.name) })));
    if (found.every(({ records }) => records.length === 0)) return withoutService(domain, listening.plain, names);
    const warnings = found.flatMap(({ name, ports, records }) =>
      records
        .filter(({ port }) => !ports.includes(port))
        .map(({ port }) => `the SRV record ${name} names port ${port}, which is not listened on: correct one of them`),
    );
    return { good: "has SRV records for the ports listened on", warnings };
  };
  const findings = await checkBy(`dns ${domain}`, look);
  return findings.map((one) => (one.state === "fault" ? { ...one, state: "warning", text: unasked(one.text) } : one));
}

function unasked(reason: string): string {
  return `DNS cannot be asked (${reason}): see to the resolver of this machine`;
}

async function withoutService(
  domain: string,
  ports: readonly number[],
  names: Names,
): Promise<{ good: string; warnings?: readonly string[] }> {
  const all = [names.resolve4(domain), names.resolve6(domain)].map((answer) => answer.catch(none));
  const addresses = (await Promise.all(all)).flat();
  if (addresses.length === 0)
    return {
      good: "",
      warnings: [`${domain} is not in DNS: add an A, AAAA or SRV (_xmpp-client._tcp.${domain}) record`],
    };
  const good = "has an address";
  if (ports.includes(C2S_PORT)) return { good };
  return {
    good,
    warnings: [`without SRV records clients try port ${C2S_PORT}: listen on it, or add _xmpp-client._tcp.${domain}`],
  };
}

async function srv(names: Names, name: string): Promise<readonly { readonly port: number }[]> {
  const records = await names.resolveSrv(name).catch(none);
  return records.filter((record) => record.name !== ""); // "." says that there is no such service
}

function none(error: unknown): [] {
  if (NO_RECORD.includes(codeOf(error))) return [];
  throw error;
}

/** Whether data can be kept in a folder, which may still have to be made. */
export function checkFolder(directory: string, access = accessSync): Finding {
  const what = `data_dir ${directory}`;
  const there = nearestExisting(resolve(directory));
  try {
    if (!statSync(there).isDirectory())
      return { what, state: "fault", text: `${there} is not a folder: choose another data_dir` };
    access(there, constants.W_OK | constants.X_OK);
    return { what, state: "good", text: there === resolve(directory) ? "can be written" : "will be made" };
  } catch (error) {
    const above = there === resolve(directory) ? "" : `${there}: `;
    return { what, state: "fault", text: above + whyUnwritable(error) };
  }
}

function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path));
}

/** Whether an address can be listened on. Not asked while the server itself runs. */
export async function checkEndpoint(section: string, at: Endpoint): Promise<Finding> {
  const what = `${section} ${endpointText(at)}`;
  try {
    await tryToListen(at);
    return { what, state: "good", text: "is free" };
  } catch (error) {
    return { what, ...listenFault(at, error) };
  }
}

/** What a failure to listen means and what to do about it; also for the server's own start. */
export function listenFault(
  at: Endpoint,
  error: unknown,
): { readonly state: "warning" | "fault"; readonly text: string } {
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return { state: "fault", text: `port ${at.port} is taken by another program: stop it or choose another port` };
    case "EACCES":
      return {
        state: "fault",
        text: `not allowed to listen on port ${at.port}: choose one above 1023, or grant CAP_NET_BIND_SERVICE`,
      };
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
      return at.ipv6Only && at.host === "::"
        ? { state: "warning", text: "this machine has no IPv6: only IPv4 is served" }
        : { state: "fault", text: `${at.host} is no address of this machine: choose one that is` };
    default:
      return { state: "fault", text: reasonOf(error) };
  }
}

function tryToListen({ host, port, ipv6Only }: Endpoint): Promise<void> {
  const server = createServer();
  return new Promise((done, fail) => {
    server.once("error", fail);
    server.listen({ host, port, ipv6Only }, () => server.close(() => done()));
  });
}
