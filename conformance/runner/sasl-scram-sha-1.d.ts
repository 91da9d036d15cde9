// Types of the independent SCRAM-SHA-1 client (the package has none).
declare module "sasl-scram-sha-1" {
  export default class Mechanism {
    response(credentials: { username: string; password: string }): string | Promise<string>;
    challenge(text: string): this;
    readonly _serverSignature?: Uint8Array;
    readonly _verifier?: string;
  }
}
