import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type Tree } from "@parley/protocol";
import { createLogger, type ReceivedPacket } from "@parley/runtime";
import { createDecodeMessage } from "../admit/decode-message.ts";
import type { Path } from "../path.ts";
import { openDesk } from "./desk.ts";
import { createPort, type PortParts } from "./port.ts";

const log = createLogger({ service: "test", level: "silent" });
const turn = () => new Promise((resolve) => setImmediate(resolve));
const tree: Tree = {
  p: "5",
  owner: "user",
  uid: "ann",
  accounts: ["ann"],
  clientId: "ann.phone",
  dialect: "slimchat",
  persistent: false,
  connectedAt: 0,
  filters: ["#"],
  version: 1,
};
const packet: ReceivedPacket = {
  topic: "",
  payload: Buffer.from('{"id":"1","type":"chat","content":{"type":"text","data":"hi"}}'),
  qos: 1,
  dup: false,
  retain: false,
  properties: {},
};

/** A device whose message is stored at once, and delivered when the test says so. */
function openSender(appended: AppError | undefined = undefined) {
  const delivery = Promise.withResolvers<void>();
  const said: string[] = [];
  const path = {
    admit: { packet: () => undefined },
    append: async () => appended ?? { seq: 1, ts: 2, memberSeq: 0, duplicate: false },
    deliver: () => delivery.promise,
    acknowledge: {},
    pass: () => undefined,
    log,
  } as unknown as Path;
  const desk = openDesk(
    { ...tree },
    {
      portFor: createPort({ path, admit: path.admit, decodeMessage: createDecodeMessage(1_000) } as PortParts),
      guests: [],
      publish: async (topic) => void said.push(topic),
      catchUp: Object.assign(async () => {}, { begin: async () => {}, between: async () => {} }),
      moved: () => {},
      marksOf: () => ({ read: async () => new Map(), move: () => {}, kept: async () => {} }),
      learned: () => {},
      log,
    },
  );
  let taken: unknown = "not yet";
  const take = desk.take(packet, "$IM/user/bob").then(
    () => {
      taken = undefined;
    },
    (error: unknown) => {
      taken = error;
    },
  );
  return { delivery, said, take, taken: () => taken };
}

const ack = "im/x/5/ann/ann.phone/$IM/user/ann/client/ann.phone";

test("a device is told that its message is stored while it is delivered; its packet is confirmed when that is done too", async () => {
  const { delivery, said, take, taken } = openSender();
  await turn();
  assert.deepEqual([said, taken()], [[ack], "not yet"]);
  delivery.resolve();
  await take;
  assert.equal(taken(), undefined);
});

test("a packet whose message was not delivered before the session ended comes again", async () => {
  const { delivery, take, taken } = openSender();
  const ended = new AppError("unavailable", "closed", { details: { reason: "closed" } });
  delivery.reject(ended);
  await take;
  assert.equal(taken(), ended);
});

test("a message that is not stored is refused in the words of the dialect, and its packet is confirmed", async () => {
  const { said, take, taken } = openSender(new AppError("blocked", "no"));
  await take;
  assert.deepEqual([said, taken()], [[ack], undefined]);
});
