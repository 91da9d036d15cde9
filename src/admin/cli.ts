// The command line: `rookery [start]`, `user …`, `config`, `check`, `migrate`, `version`. It only reads what is wanted; the work is done by
// what main hands in. Exit codes: 0 done, 1 failed, 2 used wrongly.
import { existsSync } from "node:fs";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { loadConfig } from "../core/config.js";
import type { ConfigSection, LoadedConfig } from "../core/config.js";
import { nearest } from "../core/config/nearest.js";
import { printConfig } from "../core/config/print.js";
import { type StoragePlace, storagePlace } from "../core/config/values.js";
import { linesForOperator } from "../core/reason.js";
import type { Copied } from "../storage/copy.js";
import { perform } from "./actions.js";
import type { AdminActions, AdminRequest, Bunches } from "./actions.js";
import type { Finding } from "./check.js";
import { controlPath } from "./control-path.js";
import { controlRequest } from "./control.js";
import { askPassword } from "./prompt.js";
import type { PasswordInput } from "./prompt.js";

export type ExitCode = 0 | 1 | 2;

/** What main hands in. */
export interface CliPorts {
  /** Without the names of node and of the script. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: PasswordInput;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly version: string;
  /** The features' sections of the configuration. */
  readonly sections?: readonly ConfigSection[];
  /** Runs the server until it ends. @throws a fault with a message for the operator. */
  start(loaded: LoadedConfig): Promise<ExitCode>;
  /** The accounts while no server runs: takes the lock of the data folder. @throws a fault if it is taken. */
  openAccounts(loaded: LoadedConfig): Promise<{ readonly actions: AdminActions; close(): Promise<void> }>;
  check(loaded: LoadedConfig): Promise<readonly Finding[]>;
  /** Copies one store into another, empty one. @throws a fault with a message for the operator. */
  migrate(loaded: LoadedConfig, from: StoragePlace, to: StoragePlace): Promise<Copied>;
}

const DEFAULT_FILE = "rookery.toml";

/** Runs one command to its end and says with what to exit. Nothing is thrown. */
export async function runCli(ports: CliPorts): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = commands(ports, (result) => (code = result));
  try {
    await program.parseAsync([...ports.args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    ports.err(failureText(error));
    return 1;
  }
}

function failureText(error: unknown): string {
  const lines = linesForOperator(error);
  if (lines) return lines.map((line) => `rookery: ${line}\n`).join("");
  return `rookery: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
}

function commands(ports: CliPorts, exit: (code: ExitCode) => void): Command {
  const program = new Command("rookery")
    .description("An XMPP server whose acknowledgements mean something.")
    .option("--config <file>", `the configuration (default: ${DEFAULT_FILE}, if it is there)`)
    .version(`rookery ${ports.version}`, "--version", "print the version")
    .helpCommand(false)
    .showHelpAfterError()
    .exitOverride()
    .configureOutput({ writeOut: ports.out, writeErr: ports.err });
  const load = (command: Command): LoadedConfig =>
    loadFor(ports, command.optsWithGlobals<{ config?: string }>().config);

  command(program, "start", "run the server (also without a command)", true)
    .allowExcessArguments(true)
    .action(async (_, self: Command) => {
      refuseStray(program);
      exit(await ports.start(load(self)));
    });
  command(program, "config", "print the settings in effect and where each came from").action((_, self: Command) => {
    const loaded = load(self);
    ports.out(printConfig(loaded));
    for (const warning of loaded.warnings) ports.err(`warning: ${warning}\n`);
  });
  command(program, "check", "look at what the server needs, and say how to mend what is wrong").action(
    async (_, self: Command) => exit(report(ports, await ports.check(load(self)))),
  );
  migrateCommand(program, ports, load);
  command(program, "version", "print the version").action(() => ports.out(`rookery ${ports.version}\n`));
  userCommands(program, ports, load);
  return program;
}

/** What is no command ends up as an argument of the default one. */
function refuseStray(program: Command): void {
  const [first, second] = program.args;
  if (first === undefined || (first === "start" && second === undefined)) return;
  if (first === "start") program.error(`start takes no argument, such as "${second ?? ""}"`);
  const close = nearest(
    first,
    program.commands.map((one) => one.name()),
  );
  program.error(`there is no command "${first}"${close === undefined ? "" : `; did you mean "${close}"?`}`);
}

function command(parent: Command, name: string, description: string, isDefault = false): Command {
  const made = parent.command(name, { isDefault }).description(description).allowExcessArguments(false);
  return made.option("--config <file>", "the configuration").showHelpAfterError();
}

function userCommands(program: Command, ports: CliPorts, load: (self: Command) => LoadedConfig): void {
  const user = program
    .command("user")
    .description("add, change, delete and list accounts; the server may be running")
    .showHelpAfterError();
  const withPassword = (name: "add" | "passwd", description: string): void => {
    command(user, name, description)
      .argument("<jid>", "the address, like juliet@localhost")
      .option("--password <password>", "the password; without it, it is asked for or read from a pipe")
      .action(async (jid: string, options: { password?: string }, self: Command) => {
        const loaded = load(self);
        const password = options.password ?? (await askPassword(ports.stdin, ports.err, jid));
        await ask(ports, loaded, { do: `user.${name}`, jid, password });
      });
  };
  withPassword("add", "add an account");
  withPassword("passwd", "change the password of an account");
  command(user, "delete", "delete an account and all that belongs to it")
    .argument("<jid>", "the address")
    .action(async (jid: string, _, self: Command) => ask(ports, load(self), { do: "user.delete", jid }));
  command(user, "erase", "erase all that is stored about an account, whether or not it exists any more")
    .argument("<jid>", "the address")
    .action(async (jid: string, _, self: Command) => ask(ports, load(self), { do: "user.erase", jid }));
  command(user, "export", "print all that is stored about an account, one JSON object a line")
    .argument("<jid>", "the address")
    .action(async (jid: string, _, self: Command) => ask(ports, load(self), { do: "user.export", jid }));
  command(user, "list", "list the accounts")
    .argument("[domain]", "only those of this domain")
    .action(async (domain: string | undefined, _, self: Command) =>
      ask(ports, load(self), { do: "user.list", ...(domain !== undefined && { domain }) }),
    );
}

function migrateCommand(program: Command, ports: CliPorts, load: (self: Command) => LoadedConfig): void {
  command(program, "migrate", "copy all that is stored from one store into another; no server may run on them")
    .requiredOption("--from <url>", 'the store to read, like "sqlite:rookery.db"', placeOf)
    .requiredOption("--to <url>", 'the empty store to fill, like "mongodb://127.0.0.1:27017/rookery"', placeOf)
    .action(async ({ from, to }: { from: StoragePlace; to: StoragePlace }, self: Command) => {
      const { documents, logs, entries } = await ports.migrate(load(self), from, to);
      ports.out(
        `copied ${documents} documents and ${entries} messages in ${logs} logs; the counts agree on both sides\n`,
      );
    });
}

function placeOf(url: string): StoragePlace {
  const { success, data } = storagePlace.schema.safeParse(url);
  if (!success || data.driver === "memory")
    throw new InvalidArgumentError('It must be "sqlite:FILE" (relative to data_dir) or "mongodb://HOST:PORT/NAME".');
  return data;
}

function loadFor({ env, sections }: CliPorts, file: string | undefined): LoadedConfig {
  const found = file ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : undefined);
  return loadConfig({ env, ...(found !== undefined && { file: found }), ...(sections && { sections }) });
}

/** The running server does it, or, if there is none, this process with the lock. */
async function ask(ports: CliPorts, loaded: LoadedConfig, request: AdminRequest): Promise<void> {
  const answer = (await controlRequest(controlPath(loaded.config.data_dir), request)) ?? alone(ports, loaded, request);
  for await (const lines of answer) for (const line of lines) ports.out(`${line}\n`);
}

async function* alone(ports: CliPorts, loaded: LoadedConfig, request: AdminRequest): Bunches {
  const accounts = await ports.openAccounts(loaded);
  try {
    yield* perform(accounts.actions, request);
  } finally {
    await accounts.close();
  }
}

function report({ out }: CliPorts, findings: readonly Finding[]): ExitCode {
  const marks = { good: "ok     ", warning: "warning", fault: "FAULT  " };
  for (const { what, state, text } of findings) out(`${marks[state]} ${what}: ${text}\n`);
  return findings.some(({ state }) => state === "fault") ? 1 : 0;
}
