// ASSChat, a protocol of channels and endpoints: what its draft calls control packets are publishes here, on `ass/…`, with their
// properties as user properties of MQTT 5.
import { AppError } from "../../errors.ts";
import type { Tree } from "../../trees.ts";
import type { Dialect, Downlink, Parley, Said, Speaker } from "../dialect.ts";
import { unknownPacket, writeRefusal } from "./acks.ts";
import { openChannels } from "./channels.ts";
import type { Device } from "./device.ts";
import { isClientIdOf } from "./names.ts";
import { openPending } from "./pending.ts";
import { createRender } from "./render.ts";
import { createTake } from "./take.ts";

const refusals = {
  protocol:
    "ASSChat needs MQTT 5: what its packets say stands in user properties (its second form, asschat-json, does not)",
  client_id: "the client id of an ASSChat device is its user's id, or that, a colon and more, 32 characters at most",
} as const;

function refuses({ uid, clientId, protocol }: Parameters<NonNullable<Dialect["refuses"]>>[0]) {
  if (protocol === 4) return "protocol";
  return isClientIdOf(uid, clientId) ? undefined : "client_id";
}

export const asschat: Dialect = {
  name: "asschat",
  owns: (topic) => /^(\$share\/[^/]+\/)?ass\/./s.test(topic),
  refuses,
  subscribesAll: false,
  echoes: false,
  tellsOwnEvents: true,
  showsAtFirst: 0,
  open: openSpeaker,
};

function openSpeaker(tree: Tree, parley: Parley): Speaker {
  const device: Device = {
    tree,
    parley,
    channels: openChannels(parley),
    pending: openPending(parley, () => tree.connectedAt),
  };
  const take = createTake(device);
  const { render, notified } = createRender(device);
  // To 3.1.1 the words alone come through.
  const refusal = (): Said | undefined => {
    const reason = refuses(tree);
    return reason && writeRefusal(unknownPacket, new AppError("forbidden", refusals[reason]), []);
  };
  return {
    async take(packet) {
      const refused = refusal();
      await (refused ? parley.say(refused) : take(packet));
    },
    async refused({ topic }, error) {
      const [chid] = /(?<=^ass\/msg\/)[^/]+$/.exec(topic) ?? [];
      await parley.say(writeRefusal(unknownPacket, error, [["CHID", chid]]));
    },
    render: (packet: Downlink) => render(packet),
    async subscribed() {
      const refused = refusal();
      if (refused) return parley.say(refused);
      await device.pending.load();
      await device.pending.sayAgain(notified);
    },
  };
}
