"""A slixmpp client in a room. Takes commands as lines of JSON, says what it hears the same way; see scripted.ts."""

import argparse
import asyncio
import json
import sys

import slixmpp
from slixmpp.exceptions import PresenceError

PATIENCE_S = 20
LIMIT_S = 600
KICKED, BANNED = 307, 301


def say(**line):
    print(json.dumps(line), flush=True)


class Occupant(slixmpp.ClientXMPP):
    def __init__(self, options):
        super().__init__(options.jid, options.password)
        self.options = options
        self.said = None
        self.listening = None  # kept, as nobody else holds the task
        self.done = asyncio.get_running_loop().create_future()
        self.ca_certs = options.ca
        self.enable_direct_tls = False
        self.enable_plaintext = False
        for plugin in ("xep_0045", "xep_0199", "xep_0203", "xep_0308"):
            self.register_plugin(plugin)
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("groupchat_message", self.message)
        self.add_event_handler("groupchat_subject", self.subject)
        self.add_event_handler("groupchat_presence", self.presence)
        for event in ("failed_all_auth", "ssl_invalid_chain", "ssl_invalid_cert", "disconnected", "connection_failed"):
            self.add_event_handler(event, lambda what, event=event: self.give_up(f"{event}: {what}"))

    @property
    def muc(self):
        return self.plugin["xep_0045"]

    async def start(self, _):
        self.send_presence()
        await self.plugin["xep_0199"].ping(self.boundjid.domain)
        say(ev="ready")
        self.listening = asyncio.create_task(self.listen())

    async def listen(self):
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        try:
            while line := await reader.readline():
                await self.obey(**json.loads(line))
        except Exception as error:
            self.give_up(repr(error))

    async def obey(self, do, value):
        room, nick = slixmpp.JID(self.options.room), self.options.nick
        if do == "enter":
            try:
                await self.muc.join_muc_wait(room, nick, timeout=PATIENCE_S)
                say(ev="entered", nick=nick)
            except PresenceError:
                say(ev="refused")
        elif do == "leave":
            self.muc.leave_muc(room, nick)
        elif do == "unlock":
            await self.muc.set_room_config(room, self.plugin["xep_0004"].make_form(ftype="submit"))
            say(ev="done")
        elif do == "promote":
            await self.muc.set_affiliation(room, "admin", jid=value)
        elif do == "say":
            self.said = self.make_message(mto=room, mbody=value, mtype="groupchat")
            self.said.send()
        elif do == "correct":
            self.plugin["xep_0308"].correct_message(self.said, value)
        elif do == "subject":
            self.muc.set_subject(room, value)
        elif do == "kick":
            await self.muc.set_role(room, value, "none", reason="Avaunt!")
        elif do == "ban":
            await self.muc.set_affiliation(room, "outcast", jid=value, reason="Treason")

    def message(self, message):
        if message.xml.find("{urn:xmpp:message-correct:0}replace") is not None:
            event = "correction"
        elif message.xml.find("{urn:xmpp:delay}delay") is not None:
            event = "history"
        else:
            event = "message"
        say(ev=event, nick=message["from"].resource, body=message["body"])

    def subject(self, message):
        say(ev="subject", body=message["subject"])

    def presence(self, presence):
        if presence["type"] != "unavailable":
            return
        nick = presence["from"].resource
        codes = presence["muc"]["status_codes"]
        if KICKED in codes:
            say(ev="kicked", nick=nick)
        elif BANNED in codes:
            say(ev="banned", nick=nick)
        elif nick == self.options.nick:
            say(ev="left")

    def give_up(self, reason):
        if not self.done.done():
            self.done.set_exception(RuntimeError(reason))


async def main():
    parser = argparse.ArgumentParser()
    for name in ("host", "jid", "password", "ca", "room", "nick"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--port", type=int)
    occupant = Occupant(parser.parse_args())
    occupant.connect(occupant.options.host, occupant.options.port)
    await asyncio.wait_for(occupant.done, LIMIT_S)


asyncio.run(main())
