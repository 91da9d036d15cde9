import { describe, expect, it } from "@jest/globals";
import { MongoPlace } from "./place.js";

describe("the place of a database", () => {
  it.each([
    ["mongodb://db.example/rookery", "mongodb://db.example/rookery"],
    ["mongodb://u:s3cret@a.example:27017,b.example/r?authSource=admin", "mongodb://a.example:27017,b.example/r"],
    ["mongodb+srv://u:s3cret@cluster.example/r", "mongodb+srv://cluster.example/r"],
    ["mongodb://u:s3cr/et@db.example/r", "mongodb://db.example/r"],
    ["mongodb://u:s3c@ret@db.example/r", "mongodb://db.example/r"],
    ["mongodb://u:s3cret?@db.example/r", "mongodb://…"],
    ["mongodb://db.example/r?tlsCertificateKeyFilePassword=s3c@ret", "mongodb://…"],
  ])("is shown without what is secret: %s @2.5", (url, shown) => {
    expect(new MongoPlace(url).shown).toBe(shown);
  });

  it.each([
    ["mongodb://u:s3c%20ret@db/r", "bad login s3c ret / s3c%20ret\n at x", "bad login (hidden) / (hidden) at x"],
    ["mongodb://db/r?proxyPassword=correct-horse", "refused correct-horse", "refused (hidden)"],
    ["mongodb://db/r?tls=true", "tls is true", "tls is true"],
    ["mongodb://u:%zz@db/r", "what %zz?", "what (hidden)?"],
  ])("takes secrets out of what others say, on one line: %s @2.5", (url, text, hidden) => {
    expect(new MongoPlace(url).hide(text)).toBe(hidden);
  });
});
