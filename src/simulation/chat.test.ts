import { describe, expect, it } from "@jest/globals";
import { simulate } from "./simulation.js";

describe("a simulated chat", () => {
  it("delivers a message between two people who are logged in @1.6 @1.12", async () => {
    const { login, settle } = await simulate();
    const romeo = await login("romeo", "orchard");
    const juliet = await login("juliet", "balcony");
    romeo.send("<message to='juliet@localhost/balcony' type='chat' id='m1'><body>Grüße &lt;3 🐦</body></message>");
    await settle();
    const [message] = juliet.take();
    expect(message?.attrs).toMatchObject({ from: "romeo@localhost/orchard", to: "juliet@localhost/balcony", id: "m1" });
    expect(message?.getChildText("body")).toBe("Grüße <3 🐦");
  });
});
