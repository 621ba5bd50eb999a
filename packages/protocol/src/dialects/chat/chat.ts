// CHAT 1.0 of Synrc: records of Erlang on the topics events/1/… and actions/1/…
import type { Dialect } from "../dialect.ts";
import { files } from "./files.ts";
import { openSpeaker } from "./speaker.ts";

export const chat: Dialect = {
  name: "chat",
  owns: (topic) => /^(events|actions)\/1(\/|$)|^version\/\d+$/.test(topic),
  ownsClientId: (clientId) => /^(emqttd_|reg_)/.test(clientId),
  welcomes: { anonymous: true, expiredTokens: true },
  subscribesAll: true,
  echoes: true,
  showsAtFirst: 0,
  files,
  open: openSpeaker,
};
