import { describe, expect, it } from "@jest/globals";
import { Connections, networkOf, type Counted } from "./connections.js";

const stream = (): Counted => ({ sweep: () => undefined, shutDown: () => undefined });

describe("connections", () => {
  it.each([
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
  ])("count %s as %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it("refuse more from one address than its limit, and admit again when one has gone @X5", () => {
    const connections = new Connections({ connections: 10, connections_per_address: 2, preauth_connections: 10 });
    const first = stream();
    connections.add(first, "192.0.2.1");
    connections.add(stream(), "192.0.2.1");
    expect(connections.admits("192.0.2.1")).toBe(false);
    expect(connections.admits("192.0.2.2")).toBe(true);
    connections.remove(first);
    expect(connections.admits("192.0.2.1")).toBe(true);
  });

  it("bound those that have not logged in @X5", () => {
    const connections = new Connections({ connections: 10, connections_per_address: 10, preauth_connections: 1 });
    const first = stream();
    connections.add(first, "192.0.2.1");
    expect(connections.admits("192.0.2.2")).toBe(false);
    connections.authenticated(first);
    expect(connections.admits("192.0.2.2")).toBe(true);
  });
});
