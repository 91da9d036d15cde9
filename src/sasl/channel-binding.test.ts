import { createHash } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { channelBindingFeature, channelBindings, type SecureChannel } from "./channel-binding.js";

const DER = Buffer.from("a certificate");

function channel(changes: Partial<SecureChannel>): SecureChannel {
  const exportKey = (length: number, label: string): Buffer => Buffer.from(`${length} ${label}`);
  return { protocol: "TLSv1.3", exportKey, certificate: { der: DER, hash: "sha256" }, ...changes };
}

describe("channel bindings of a connection", () => {
  it("are tls-exporter by the label of RFC 9266, on TLS 1.3 only, and tls-server-end-point on every one @1.4", () => {
    const bindings = channelBindings(channel({}));
    expect([...bindings.keys()]).toEqual(["tls-exporter", "tls-server-end-point"]);
    expect(bindings.get("tls-exporter")?.toString()).toBe("32 EXPORTER-Channel-Binding");
    expect([...channelBindings(channel({ protocol: "TLSv1.2" })).keys()]).toEqual(["tls-server-end-point"]);
  });

  it.each([
    ["sha256", "sha256"],
    ["sha384", "sha384"],
    ["sha512", "sha512"],
    ["sha1", "sha256"],
    ["md5", "sha256"],
  ])("hash a certificate signed with %s by %s, RFC 5929 §4.1 @1.4", (signed, digest) => {
    const bindings = channelBindings(channel({ certificate: { der: DER, hash: signed } }));
    expect(bindings.get("tls-server-end-point")).toEqual(createHash(digest).update(DER).digest());
  });

  it("are without tls-server-end-point when the signature has no hash, and none when nothing holds @1.4", () => {
    const ed25519 = { der: DER, hash: undefined };
    expect([...channelBindings(channel({ certificate: ed25519 })).keys()]).toEqual(["tls-exporter"]);
    expect(channelBindings(channel({ protocol: "TLSv1.2", certificate: undefined })).size).toBe(0);
  });

  it("are announced by XEP-0440, and not at all when there are none @1.4", () => {
    expect(channelBindingFeature(["tls-exporter", "tls-server-end-point"])?.toString()).toBe(
      '<sasl-channel-binding xmlns="urn:xmpp:sasl-cb:0"><channel-binding type="tls-exporter"/>' +
        '<channel-binding type="tls-server-end-point"/></sasl-channel-binding>',
    );
    expect(channelBindingFeature([])).toBeUndefined();
  });
});
