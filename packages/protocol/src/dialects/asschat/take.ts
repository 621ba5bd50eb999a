// What a device published: a Channel Msg, a Channel Cmd, or an ack of a notification.
import { AppError, isSessionEnd } from "../../errors.ts";
import { createTurns } from "../../turns.ts";
import type { Published, Speaker } from "../dialect.ts";
import { ackTopic, writeAck, writeRefusal } from "./acks.ts";
import { type Command, readCommand } from "./command.ts";
import { checkCommand, isVerb, workCommand } from "./commands.ts";
import type { Device } from "./device.ts";
import { readFields } from "./fields.ts";
import { readAcked } from "./notifications.ts";
import { takeMessage } from "./send.ts";

const topics =
  "ass/msg/{CHID}, ass/cmd/create, ass/cmd/delete, ass/cmd/add, ass/cmd/remove, ass/ack (JSON on ch/… is asschat-json)";

/** All commands of a device are of one turn. */
const commands = "";

export function createTake(device: Device): Speaker["take"] {
  const { parley, channels, pending } = device;
  // Commands are done in the order in which they came, and what is said behind them comes behind them.
  const { inTurn, turnOf } = createTurns();

  function acknowledge({ properties }: Published): void {
    const acked = readAcked(properties.correlationData);
    const conv = acked && channels.known(acked.chid);
    if (acked && conv !== undefined) pending.acknowledged(conv, acked.seq, acked.part);
  }

  return async (packet) => {
    const [, kind = "", ...rest] = packet.topic.split("/");
    const name = rest.join("/");
    if (packet.topic === ackTopic) return acknowledge(packet);
    if (kind === "msg" && name !== "") return takeMessage(device, name, packet, turnOf(commands));
    if (kind === "cmd" && isVerb(name)) return inTurn(commands, () => takeCommand(device, name, packet));
    const words = `nothing is published on ${packet.topic.slice(0, 64)}: ${topics}`;
    return parley.say(writeRefusal(packet, new AppError("not_found", words), []));
  };
}

/** A large one is acknowledged before it is done; a second ack says why, where nothing comes of it. */
async function takeCommand(device: Device, verb: Command["verb"], packet: Published): Promise<void> {
  const { parley, tree } = device;
  const fields = readFields(packet.properties);
  let chid = fields.one("CHID");
  try {
    const command = readCommand(verb, packet, fields, tree);
    chid = command.chid;
    if (command.isLarge) {
      await checkCommand(device, command);
      await parley.say(writeAck(packet, [["CHID", chid]]));
    }
    await workCommand(device, command);
    if (!command.isLarge) await parley.say(writeAck(packet, [["CHID", chid]]));
  } catch (error) {
    const refused = AppError.from(error);
    if (refused.code === "internal" || isSessionEnd(refused)) throw error;
    await parley.say(writeRefusal(packet, refused, [["CHID", chid]]));
  }
}
