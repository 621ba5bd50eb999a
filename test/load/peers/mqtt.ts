// Parley's people on raw TCP, through the edge with a token each: MQTT 3.1.1, as any stock client speaks it.
import { deviceTopic, messagesTopic, uplinkTopic } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import type { Cluster } from "@parley/testkit";
import { type Listener, openListener } from "../listener.ts";
import type { Pair } from "../pairs.ts";
import { logIn, makeKey, makeRoom, makeUsers } from "../people.ts";
import { idOf } from "../session.ts";
import { openWaiting, type Waiting } from "./waiting.ts";

const together = 20;
let made = 0;

/** Two people each; done when the sender has its ack and the receiver the message. */
export async function openMqttPairs(cluster: Cluster, count: number, text: string): Promise<Pair[]> {
  const key = await makeKey(cluster);
  const run = `p${made++}`;
  const uids = Array.from({ length: count }, (_, index) => [`${run}s${index}`, `${run}r${index}`]).flat();
  await makeUsers(cluster.run().http, key, uids);
  return Promise.all(
    Array.from({ length: count }, async (_, index): Promise<Pair> => {
      const [sender, receiver] = [`${run}s${index}`, `${run}r${index}`];
      // The sender has a copy of its own, which does not count.
      const { begin, acknowledged, delivered } = openWaiting(1);
      const [from, to] = await Promise.all([
        join(cluster, key, sender, { acknowledged }),
        join(cluster, key, receiver, { delivered }),
      ]);
      return {
        send: (timing) => from.say(begin(timing), `user/${receiver}`, text),
        async close() {
          from.close();
          to.close();
        },
      };
    }),
  );
}

/** One writes, all have it, the writer too; done when it has its ack and the last one has its copy. */
export async function openMqttRoom(cluster: Cluster, members: number, text: string): Promise<Pair> {
  const key = await makeKey(cluster);
  const { room, uids } = await makeRoom(cluster, members);
  const waiting = openWaiting(members);
  const people: Person[] = [];
  for (let from = 0; from < members; from += together) {
    const some = uids.slice(from, from + together).map((uid) => join(cluster, key, uid, waiting));
    people.push(...(await Promise.all(some)));
  }
  return {
    send: (timing) => people[0]?.say(waiting.begin(timing), `room/${room}`, text),
    async close() {
      for (const person of people) person.close();
    },
  };
}

interface Person {
  say(id: string, to: string, text: string): void;
  close(): void;
}

type Heard = Partial<Pick<Waiting, "acknowledged" | "delivered">>;

async function join(cluster: Cluster, key: string, uid: string, heard: Heard): Promise<Person> {
  const { http, mqtt } = cluster.run();
  const { token, clientId } = await logIn(http, key, uid);
  const take = (payload: Buffer) => {
    if (payload.includes('"type":"nack"')) throw new Error(`refused: ${payload}`);
    if (payload.includes('"type":"ack"')) heard.acknowledged?.(idOf(payload));
    else heard.delivered?.(idOf(payload));
  };
  const device: Listener = await openListener({ port: mqtt.port, clientId, username: uid, password: token }, take);
  await Promise.all([device.subscribe(messagesTopic(uid)), device.subscribe(deviceTopic(uid, clientId))]);
  const topic = uplinkTopic({ p: ingestPartition(clientId), uid, clientId, verb: "msg" });
  return {
    say: (id, to, text) =>
      device.publish(topic, `{"id":"${id}","to":"${to}","content":{"type":"text","data":"${text}"}}`),
    close: device.close,
  };
}
