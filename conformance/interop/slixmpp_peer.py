"""A slixmpp client for the interop suite. Logs in over STARTTLS, verifies the certificate, prints lines of JSON; modes: see peer.ts."""

import argparse
import asyncio
import json

import slixmpp

PATIENCE_S = 45


def say(**line):
    print(json.dumps(line), flush=True)


class Peer(slixmpp.ClientXMPP):
    def __init__(self, options):
        super().__init__(options.jid, options.password)
        self.options = options
        self.received = 0
        self.expected = options.count
        self.done = asyncio.get_running_loop().create_future()
        self.ca_certs = options.ca
        self.enable_direct_tls = False
        self.enable_plaintext = False
        self.register_plugin("xep_0199")
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("message", self.message)
        for event in ("failed_all_auth", "ssl_invalid_chain", "ssl_invalid_cert", "disconnected", "connection_failed"):
            self.add_event_handler(event, lambda what, event=event: self.give_up(f"{event}: {what}"))

    async def start(self, _):
        self.send_presence()
        await self.plugin["xep_0199"].ping(self.boundjid.domain)
        tls = self.transport.get_extra_info("ssl_object")
        say(ev="ready", tls=tls.version())
        if self.options.mode not in ("talk", "leave"):
            return
        with open(self.options.texts, encoding="utf-8") as file:
            texts = json.load(file)
        self.expected = len(texts) if self.options.mode == "talk" else 0
        for text in texts:
            self.send_message(mto=self.options.to, mbody=text, mtype="chat")
        if self.options.mode == "leave":
            await self.plugin["xep_0199"].ping(self.boundjid.domain)
            self.done.set_result(None)

    def message(self, message):
        if message["type"] == "error":
            return self.give_up(f"error {message}")
        if message["type"] not in ("chat", "normal") or not message["body"]:
            return None
        if self.options.mode == "echo":
            self.send_message(mto=message["from"], mbody=message["body"], mtype="chat")
            return None
        say(ev="message", body=message["body"])
        self.received += 1
        if self.received == self.expected and not self.done.done():
            self.done.set_result(None)
        return None

    def give_up(self, reason):
        if not self.done.done():
            self.done.set_exception(RuntimeError(reason))


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode")
    for name in ("host", "jid", "password", "ca", "to", "texts"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--port", type=int)
    parser.add_argument("--count", type=int, default=0)
    options = parser.parse_args()
    peer = Peer(options)
    peer.connect(options.host, options.port)
    await asyncio.wait_for(peer.done, None if options.mode == "echo" else PATIENCE_S)
    await peer.disconnect()


asyncio.run(main())
