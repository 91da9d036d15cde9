// The one tree type. Nobody else imports ltx or @xmpp/xml: ltx's own build and the one inside @xmpp/xml are different classes.
export { default as xml, Element } from "@xmpp/xml";
