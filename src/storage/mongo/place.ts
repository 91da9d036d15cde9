// Where the database is, in words that may be logged: the URL of the settings without anything secret.

/** What stands in a message in place of a password. */
const HIDDEN = "(hidden)";

/** The database that storage.url names. */
export class MongoPlace {
  /** "mongodb://db1.example:27017,db2.example/rookery": no user, no password, no options. */
  readonly shown: string;
  readonly #secrets: readonly string[];

  constructor(url: string) {
    const [, scheme = "", rest = ""] = /^(mongodb(?:\+srv)?:\/\/)([^]*)$/.exec(url) ?? [];
    const at = rest.lastIndexOf("@");
    const user = at < 0 ? "" : rest.slice(0, at);
    const [where = "", ...options] = rest.slice(at + 1).split("?");
    // An "@" behind a "?" may belong to an option or to a password: then neither side of it is shown.
    this.shown = scheme + (user.includes("?") ? "…" : where);
    this.#secrets = secretsIn(user, options.join("?"));
  }

  /** A text of the driver or of the server, on one line and without what is secret in the URL. */
  hide(text: string): string {
    const line = text.replace(/\s+/g, " ").trim();
    return this.#secrets.reduce((hidden, secret) => hidden.replaceAll(secret, HIDDEN), line);
  }
}

function secretsIn(user: string, options: string): string[] {
  const password = user.includes(":") ? user.slice(user.indexOf(":") + 1) : "";
  const values = options.split("&").map((option) => option.slice(option.indexOf("=") + 1));
  const long = values.filter((value) => value.length >= 8); // "true" and "admin" are no secrets
  const all = [password, ...long].flatMap((secret) => [secret, decoded(secret)]);
  return [...new Set(all)].filter((secret) => secret !== "").sort((a, b) => b.length - a.length);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not percent-encoded: the driver will say so
  }
}
