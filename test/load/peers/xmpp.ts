// XMPP people on raw TCP: they log in with PLAIN, write to each other or in a room, and know a stanza by its end.
import { connect } from "node:net";
import type { Pair, Timing } from "../pairs.ts";
import type { Ejabberd } from "./ejabberd.ts";

interface Person {
  write(stanza: string): void;
  close(): void;
}

const host = "localhost";
const password = "bench-password";
const header = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='${host}' version='1.0'>`;
const together = 20;
let made = 0;

/** Two people each, who have never heard of each other; done when the receiver has it, which ejabberd archives before. */
export async function openXmppPairs(server: Ejabberd, count: number, text: string): Promise<Pair[]> {
  const run = `p${made++}`;
  const waiting = new Map<string, Timing>();
  const receive = settleBy(waiting, () => 1);
  const pairs: Pair[] = [];
  for (let index = 0; index < count; index++) {
    const to = `${run}r${index}`;
    const [from, receiver] = [await join(server, `${run}s${index}`, () => undefined), await join(server, to, receive)];
    pairs.push({
      send(timing) {
        const id = idOf(waiting, timing);
        from.write(`<message to='${to}@${host}' type='chat' id='${id}'><body>${text}</body></message>`);
      },
      async close() {
        from.close();
        receiver.close();
      },
    });
  }
  return pairs;
}

/** One writes, all have it, the writer too. */
export async function openXmppRoom(server: Ejabberd, members: number, text: string): Promise<Pair> {
  const run = `m${made++}`;
  const room = `${run}@conference.${host}`;
  const waiting = new Map<string, Timing>();
  const receive = settleBy(waiting, () => members);
  const people: Person[] = [];
  for (let from = 0; from < members; from += together) {
    const some = Array.from({ length: Math.min(together, members - from) }, (_, at) =>
      join(server, `${run}x${from + at}`, receive),
    );
    people.push(...(await Promise.all(some)));
  }
  const [owner] = people as [Person];
  for (const [index, person] of people.entries()) {
    const to = `${room}/n${index}`;
    person.write(
      `<presence to='${to}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>`,
    );
    // The first one makes the room, and lets others in.
    if (index > 0) continue;
    await pause(300);
    const form = "<x xmlns='jabber:x:data' type='submit'/>";
    const query = `<query xmlns='http://jabber.org/protocol/muc#owner'>${form}</query>`;
    owner.write(`<iq type='set' to='${room}' id='cfg'>${query}</iq>`);
    await pause(300);
  }
  // Everybody is told of everybody: 10,000 stanzas for a hundred.
  await pause(5_000);
  return {
    send(timing) {
      const id = idOf(waiting, timing);
      owner.write(`<message to='${room}' type='groupchat' id='${id}'><body>${text}</body></message>`);
    },
    async close() {
      for (const person of people) person.close();
    },
  };
}

let lastId = 0;

function idOf(waiting: Map<string, Timing>, timing: Timing): string {
  lastId += 1;
  const id = `b${lastId}`;
  waiting.set(id, timing);
  return id;
}

function settleBy(waiting: Map<string, Timing>, copies: () => number) {
  const seen = new Map<string, number>();
  return (stanza: string) => {
    const id = / id='(b\d+)'/.exec(stanza)?.[1];
    const timing = id === undefined ? undefined : waiting.get(id);
    if (id === undefined || timing === undefined) return;
    const count = (seen.get(id) ?? 0) + 1;
    if (count < copies()) return seen.set(id, count);
    seen.delete(id);
    waiting.delete(id);
    const at = performance.now();
    timing.acknowledged(at);
    timing.delivered(at);
  };
}

async function join(server: Ejabberd, user: string, take: (message: string) => void): Promise<Person> {
  await server.register(user, password);
  const socket = connect({ port: server.xmppPort, host: "127.0.0.1", noDelay: true });
  socket.setEncoding("utf8");
  let text = "";
  const messages = () => {
    for (let end = text.indexOf("</message>"); end >= 0; end = text.indexOf("</message>")) {
      take(text.slice(0, end));
      text = text.slice(end + "</message>".length);
    }
  };
  const login = Buffer.from(`\0${user}\0${password}`).toString("base64");
  const steps = [
    ["</stream:features>", `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${login}</auth>`],
    ["<success", header],
    [
      "</stream:features>",
      "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>bench</resource></bind></iq>",
    ],
    ["id='bind'", "<presence/>"],
  ] as const;
  return new Promise((resolve, reject) => {
    let step = 0;
    socket.on("error", reject);
    socket.on("connect", () => socket.write(header));
    socket.on("data", (some: string) => {
      text += some;
      const [sign, answer] = steps[step] ?? [];
      if (sign === undefined) return messages();
      if (text.includes("<failure")) return reject(new Error(`${user} is refused: ${text}`));
      if (!text.includes(sign)) return;
      text = "";
      step += 1;
      socket.write(String(answer));
      if (step === steps.length)
        resolve({ write: (stanza) => void socket.write(stanza), close: () => socket.destroy() });
    });
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
