// `rookery check`: looks at what a server needs to run here, and says for each fault how to mend it.
import { constants, accessSync, existsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, resolve } from "node:path";
import { endpointText } from "../core/config/values.js";
import type { Endpoint } from "../core/config/values.js";
import { codeOf, reasonOf } from "../core/reason.js";

/** One thing looked at. */
export interface Finding {
  readonly what: string;
  readonly state: "good" | "warning" | "fault";
  /** What was found and, if something is wrong, what to do. */
  readonly text: string;
}

/** Whether data can be kept in a folder, which may still have to be made. */
export function checkFolder(directory: string): Finding {
  const what = `data_dir ${directory}`;
  const there = nearestExisting(resolve(directory));
  try {
    if (!statSync(there).isDirectory())
      return { what, state: "fault", text: `${there} is not a folder: choose another data_dir` };
    accessSync(there, constants.W_OK | constants.X_OK);
    return { what, state: "good", text: there === resolve(directory) ? "can be written" : "will be made" };
  } catch (error) {
    return {
      what,
      state: "fault",
      text: `${reasonOf(error)}: let the server's user write there, or choose another data_dir`,
    };
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
