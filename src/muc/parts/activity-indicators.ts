// XEP-0437 "Room Activity Indicators", the rooms' side of it (indicators.ts): what has been said is told to those who are not in and want to know.
import { isHistoric } from "../history.js";
import type { Part } from "../part.js";

export const activityIndicators: Part = {
  name: "activity-indicators",
  welcome: ({ context, flow, jid }, { account }) => flow.atRelease(() => context.indicators.seen(jid, account)),
  heard: (turn, message) => {
    const { context, jid, state } = turn;
    if (isHistoric(message)) turn.send(() => context.indicators.spoken(jid, state));
  },
};
