// The server's log: one event with a stable name per line, by pino. Whatever comes from outside is made harmless before it is
// written, and nothing secret or private is: no passwords, no tokens, no message bodies.
import { pino } from "pino";
import type { Logger } from "pino";
import { prettyFactory } from "pino-pretty";
import type { Clock } from "./clock.js";

/** What happened: a stable name ("auth.failed") and a few facts. A JID or anything else with its own toString may be a fact. */
export interface LogEvent {
  readonly ev: string;
  readonly [fact: string]: unknown;
}

/** The log as everything but main sees it. */
export interface Log {
  /** Something an operator must act on. */
  error(event: LogEvent): void;
  /** Something that will become a fault if it goes on. */
  warn(event: LogEvent): void;
  info(event: LogEvent): void;
  debug(event: LogEvent): void;
  /** The same log, with facts that every line gets. */
  child(facts: Readonly<Record<string, unknown>>): Log;
}

export type LogLevel = "error" | "warn" | "info" | "debug";

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: "pretty" | "json";
  readonly clock: Clock;
  /** Gets each line with its line break, at once. */
  readonly write: (line: string) => void;
  /** Only for format "pretty". */
  readonly colour?: boolean;
}

/** Opens the log. Lines are written synchronously and in order; there is nothing to flush. */
export function createLog({ level, format, clock, write, colour = false }: LogOptions): Log {
  const pretty =
    format === "pretty"
      ? prettyFactory({
          colorize: colour,
          messageKey: "ev",
          singleLine: true,
          errorLikeObjectKeys: [],
          translateTime: "SYS:HH:MM:ss.l",
        })
      : undefined;
  const logger = pino(
    {
      level,
      base: null,
      messageKey: "ev",
      timestamp: () => `,"time":${clock.now()}`,
      ...(pretty === undefined && { formatters: { level: (label: string) => ({ level: label }) } }),
    },
    { write: (line) => write(pretty?.(line) ?? line) },
  );
  return wrap(logger);
}

/** A log that keeps nothing. */
export const silentLog: Log = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  child: () => silentLog,
};

function wrap(logger: Logger): Log {
  return {
    error: (event) => logger.error(harmless(event)),
    warn: (event) => logger.warn(harmless(event)),
    info: (event) => logger.info(harmless(event)),
    debug: (event) => (logger.isLevelEnabled("debug") ? logger.debug(harmless(event)) : undefined),
    child: (facts) => wrap(logger.child(harmless(facts))),
  };
}

const SECRET = /passw|secret|token|credential|authorization|proof|private|storedkey|serverkey|^key$|^salt$/i;
const PERSONAL = /^(?:body|subject|stanza|xml|html|payload|content)$/i;
const MAX_TEXT = 1000; // longer than any JID in a well-meant log line
const MAX_FACTS = 50;
const MAX_DEPTH = 3;

function harmless(facts: Readonly<Record<string, unknown>>, depth = 0): Record<string, unknown> {
  const clean = Object.entries(facts).slice(0, MAX_FACTS);
  return Object.fromEntries(clean.map(([name, value]) => [escapeText(name), fact(name, value, depth)]));
}

function fact(name: string, value: unknown, depth: number): unknown {
  if (value === undefined) return undefined;
  if (SECRET.test(name) || PERSONAL.test(name)) return "(hidden)";
  if (typeof value === "string") return escapeText(value);
  if (typeof value === "bigint" || typeof value === "symbol") return String(value);
  if (typeof value !== "object" || value === null) return typeof value === "function" ? "(function)" : value;
  if (isError(value)) return errorFacts(value, depth);
  if (Array.isArray(value)) return value.slice(0, MAX_FACTS).map((one) => fact("", one, depth + 1));
  if (Buffer.isBuffer(value)) return `(${value.length} bytes)`;
  if (depth >= MAX_DEPTH) return "(more)";
  const text = plainText(value);
  return text === undefined ? harmless(value as Record<string, unknown>, depth + 1) : escapeText(text);
}

/** What an object says of itself, if its class has a toString of its own. */
function plainText(value: object): string | undefined {
  if (typeof (value as { toString?: unknown }).toString !== "function") return undefined;
  // eslint-disable-next-line @typescript-eslint/no-base-to-string -- the plain answer is what the next line is about
  const said = String(value);
  return /^\[object \w+\]$/.test(said) ? undefined : said;
}

function isError(value: object): value is Error {
  return "stack" in value && "message" in value;
}

function errorFacts(error: Error, depth: number): unknown {
  const code = "code" in error && typeof error.code === "string" ? { code: escapeText(error.code) } : {};
  const at = (error.stack ?? "")
    .split("\n")
    .filter((line) => line.startsWith("    at "))
    .slice(0, 20)
    .map((line) => escapeText(line.trim()));
  const cause = error.cause === undefined || depth >= MAX_DEPTH ? {} : { cause: fact("", error.cause, depth + 1) };
  return { message: escapeText(error.message), ...code, at, ...cause };
}

// C0 and C1 controls (line breaks, ANSI escapes), line separators, and marks that turn the direction of text around.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Text that stays on its line and changes nothing on a terminal: unsafe characters as \uXXXX, over-long text cut. */
export function escapeText(text: string): string {
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return short.replace(UNSAFE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
