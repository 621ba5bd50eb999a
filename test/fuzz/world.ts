// What the fuzzer finds when it comes: people, a chat, a room, a file and a star, so that calls get past "no such thing".
import { callHttp, connectParley, type ParleyClient } from "@parley/client";
import { keysCreate, login, register, roomsCreate, rosterAdd } from "@parley/protocol";
import type { Cluster } from "@parley/testkit";

const password = "a password for the fuzzer";
const people = ["fuzzer", "friend", "stranger"];

export interface World {
  ids: Ids;
  /** another login of the one who asks; each with a device of its own */
  token(): Promise<string>;
  serverKey: string;
}

/** Things that the one who asks may see, as they stand in a path. */
export interface Ids {
  conv: string;
  room: string;
  file: string;
  uid: string;
  seq: number;
}

/** Makes all of it on a cluster that is new. */
export async function makeWorld(cluster: Cluster): Promise<World> {
  const { http } = cluster.run();
  for (const username of people) await callHttp(http, register, { username, password });
  const client = await connectParley({ url: http, username: "fuzzer", password, device: "seed" });
  const ids = await fill(client).finally(() => client.close());
  const { key } = await callHttp(http, keysCreate, { name: "fuzz" }, { token: cluster.servicesSecret });
  let devices = 0;
  return {
    ids,
    serverKey: key,
    async token() {
      const device = `fuzz${devices++}`;
      return (await callHttp(http, login, { username: "fuzzer", password, device })).token;
    },
  };
}

async function fill(client: ParleyClient): Promise<Ids> {
  const { id: room } = await client.request(roomsCreate, { name: "Fuzz", members: ["friend"] });
  await client.request(rosterAdd, { id: "friend" });
  const file = await client.upload(Buffer.from("a file"), { name: "notes.txt" });
  await client.send("user/friend", { type: "file", file: file.id, name: "notes.txt" });
  for (const text of ["first", "second", "third"]) await client.send("user/friend", { type: "text", data: text });
  return { conv: encodeURIComponent("p2p/friend/fuzzer"), room, file: file.id, seq: 2, uid: "friend" };
}
