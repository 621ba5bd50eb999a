// SlimChat, as its draft has it: JSON on `$IM/…`, topics by OID, subscriptions made by the server.
import type { Dialect } from "../dialect.ts";
import { formOf, isOfBefore } from "./oids.ts";
import { createRender } from "./render.ts";
import { take, tellRefused } from "./take.ts";
import { createVoice } from "./voice.ts";

export const slimchat: Dialect = {
  name: "slimchat",
  owns: (topic) => formOf(topic) !== undefined || isOfBefore(topic),
  welcomes: { clientObjects: true },
  subscribesAll: true,
  echoes: false,
  // What was sent before the user had any device.
  showsAtFirst: 20,
  open(tree, parley) {
    const voice = createVoice(tree);
    const render = createRender(voice, parley);
    let isNew = true;
    return {
      take: (packet) => take(packet, voice, parley),
      refused: (packet, error) => tellRefused(packet, error, voice, parley),
      render,
      async begin() {
        isNew = true;
      },
      // Once it hears: who asked while no device was there to be told.
      async subscribed(filters) {
        voice.subscribed(filters);
        if (!isNew || tree.owner !== "user") return;
        isNew = false;
        for (const said of await render.requests().catch(() => [])) await parley.say(said);
      },
    };
  },
};
