// Logging in (RFC 6120 §6): what a connection is offered, and the exchange a client begins. The mechanisms themselves are in sasl/.
import type { Clock } from "../core/clock.js";
import { LoadFault } from "../core/accounts.js";
import type { Config } from "../core/config.js";
import type { Log } from "../core/log.js";
import type { Random } from "../core/random.js";
import type { Users } from "../core/users.js";
import {
  channelBindingFeature,
  channelBindings,
  type ChannelBindingType,
  type SecureChannel,
} from "../sasl/channel-binding.js";
import type { Credentials, Disguise } from "../sasl/credentials.js";
import { nodeCrypto, type SaslCrypto } from "../sasl/crypto.js";
import { decodeSaslData } from "../sasl/encoding.js";
import { FailureLimiter } from "../sasl/failures.js";
import type { Mechanism, SaslCondition, SaslContext, SaslStep } from "../sasl/mechanism.js";
import { createMechanism, offeredMechanisms } from "../sasl/mechanisms.js";
import { JID } from "../stanza/jid.js";
import { type Element, xml } from "../xml/element.js";
import { NS } from "../xml/namespaces.js";

export interface AuthenticationPorts {
  readonly config: Config;
  readonly users: Users;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Kept for the life of the installation: what unknown users are told comes from it. */
  readonly disguise: Disguise;
  readonly crypto?: SaslCrypto;
}

/** The connection a login is for. */
export interface LoginPlace {
  readonly domain: string;
  readonly address: string;
  readonly security: SecureChannel | undefined;
}

/** A `temporary` account is there once the step is; it has to be removed when its stream ends. */
export type LoginStep =
  | { readonly kind: "challenge"; readonly data: Buffer }
  | { readonly kind: "success"; readonly user: JID; readonly data: Buffer | undefined; readonly temporary: boolean }
  | { readonly kind: "failure"; readonly condition: SaslCondition; readonly text: string | undefined };

const NO_BINDINGS: ReadonlyMap<ChannelBindingType, Buffer> = new Map();

export class Authentication {
  readonly #ports: AuthenticationPorts;
  readonly #limiter: FailureLimiter;

  constructor(ports: AuthenticationPorts) {
    this.#ports = ports;
    const { auth_failures_per_account, auth_failures_per_address } = ports.config.limits;
    this.#limiter = new FailureLimiter(
      () => ports.clock.now(),
      failureLimits(auth_failures_per_account, auth_failures_per_address),
    );
  }

  /** The children of `<stream:features/>` for a connection that may log in. */
  features(security: SecureChannel | undefined): readonly Element[] {
    const bindings = bindingsOf(security);
    const mechanisms = this.#offered(security, bindings).map((name) => xml("mechanism", {}, name));
    const types = channelBindingFeature(bindings.keys());
    return [xml("mechanisms", { xmlns: NS.sasl }, ...mechanisms), ...(types ? [types] : [])];
  }

  /** Begins the exchange an `<auth/>` asks for. */
  begin(auth: Element, place: LoginPlace): Exchange | { readonly failure: SaslCondition } {
    const bindings = bindingsOf(place.security);
    const offered = this.#offered(place.security, bindings);
    const context = this.#context(place, bindings, offered);
    const mechanism = createMechanism(String(auth.attrs["mechanism"] ?? ""), context);
    if (!mechanism) return { failure: "invalid-mechanism" };
    const text = auth.getText();
    const initial = decodeSaslData(text);
    if (!initial) return { failure: "incorrect-encoding" };
    return new Exchange(mechanism, place.domain, text === "" ? undefined : initial, this.#ports);
  }

  #offered(security: SecureChannel | undefined, bindings: ReadonlyMap<ChannelBindingType, Buffer>): readonly string[] {
    const { c2s, auth } = this.#ports.config;
    return offeredMechanisms({
      secure: security !== undefined,
      requireTls: c2s.require_tls,
      channelBindings: bindings,
      anonymous: auth.anonymous,
    });
  }

  #context(
    place: LoginPlace,
    bindings: ReadonlyMap<ChannelBindingType, Buffer>,
    offered: readonly string[],
  ): SaslContext {
    const { users, random, disguise, crypto } = this.#ports;
    return {
      domain: place.domain,
      secure: place.security !== undefined,
      offered,
      channelBindings: bindings,
      ...disguise,
      attempts: this.#limiter.at(place.address, place.domain),
      crypto: crypto ?? nodeCrypto,
      randomBytes: (size) => random.bytes(size),
      findCredentials: async (username) =>
        (await users.credentials(JID.of(username, place.domain))) as Credentials | undefined,
    };
  }
}

type ExchangePorts = Pick<AuthenticationPorts, "users" | "log">;

/** One client's attempt to log in. */
export class Exchange {
  readonly #mechanism: Mechanism;
  readonly #domain: string;
  readonly #initial: Buffer | undefined;
  readonly #ports: ExchangePorts;

  constructor(mechanism: Mechanism, domain: string, initial: Buffer | undefined, ports: ExchangePorts) {
    this.#mechanism = mechanism;
    this.#domain = domain;
    this.#initial = initial;
    this.#ports = ports;
  }

  get mechanism(): string {
    return this.#mechanism.name;
  }

  /** The answer to the `<auth/>` itself. */
  first(): Promise<LoginStep> {
    return this.#answer(() => this.#mechanism.start(this.#initial));
  }

  /** The answer to a `<response/>`. */
  async next(response: Element): Promise<LoginStep> {
    const data = decodeSaslData(response.getText());
    return data ? this.#answer(() => this.#mechanism.next(data)) : failed("incorrect-encoding");
  }

  /** While accounts cannot be loaded nobody is told that a password is wrong. */
  async #answer(run: () => Promise<SaslStep>): Promise<LoginStep> {
    try {
      return await this.#step(await run());
    } catch (error) {
      if (!(error instanceof LoadFault)) throw error;
      this.#ports.log.warn({ ev: "auth.unavailable", err: error });
      return failed("temporary-auth-failure");
    }
  }

  async #step(step: SaslStep): Promise<LoginStep> {
    if ("challenge" in step) return { kind: "challenge", data: step.challenge };
    if ("failure" in step) return failed(step.failure, step.text);
    const user = JID.of(step.success, this.#domain);
    const temporary = this.#mechanism.name === "ANONYMOUS";
    if (temporary && (await this.#ports.users.createTemporary(user)) !== "done")
      return failed("temporary-auth-failure");
    return { kind: "success", user, data: step.extra, temporary };
  }
}

function failed(condition: SaslCondition, text?: string): LoginStep {
  return { kind: "failure", condition, text };
}

function bindingsOf(security: SecureChannel | undefined): ReadonlyMap<ChannelBindingType, Buffer> {
  return security ? channelBindings(security) : NO_BINDINGS;
}

/** The limits count failures in ten minutes; a budget refills evenly over that time. */
function failureLimits(perAccount: number, perAddress: number): ConstructorParameters<typeof FailureLimiter>[1] {
  const TEN_MINUTES = 600_000;
  const budget = (failures: number): { failures: number; refillMs: number } =>
    Number.isFinite(failures) ? { failures, refillMs: TEN_MINUTES / failures } : { failures: 0, refillMs: 1 };
  return {
    perAddress: budget(perAddress),
    perAccountAtAddress: budget(perAccount),
    perAccount: budget(perAccount * 10),
  };
}
