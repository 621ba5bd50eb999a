// XMPP people on raw TCP: they log in with PLAIN, write to each other or in a room, and know a stanza by its end.
import { connect } from "node:net";
import type { Pair } from "../pairs.ts";
import { pause } from "../saturate.ts";
import type { Ejabberd } from "./ejabberd.ts";
import { openWaiting, type Waiting } from "./waiting.ts";

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
  const waiting = openWaiting(1);
  const receive = takeBy(waiting);
  const pairs: Pair[] = [];
  for (let index = 0; index < count; index++) {
    const to = `${run}r${index}`;
    const [from, receiver] = [await join(server, `${run}s${index}`, () => undefined), await join(server, to, receive)];
    pairs.push({
      send(timing) {
        const id = waiting.begin(timing);
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
  const waiting = openWaiting(members);
  const receive = takeBy(waiting);
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
    await pause(0.3);
    const form = "<x xmlns='jabber:x:data' type='submit'/>";
    const query = `<query xmlns='http://jabber.org/protocol/muc#owner'>${form}</query>`;
    owner.write(`<iq type='set' to='${room}' id='cfg'>${query}</iq>`);
    await pause(0.3);
  }
  // Everybody is told of everybody: 10,000 stanzas for a hundred.
  await pause(5);
  return {
    send(timing) {
      const id = waiting.begin(timing);
      owner.write(`<message to='${room}' type='groupchat' id='${id}'><body>${text}</body></message>`);
    },
    async close() {
      for (const person of people) person.close();
    },
  };
}

// Its sender hears nothing of the archive: it is acknowledged when all have it.
function takeBy(waiting: Waiting): (stanza: string) => void {
  return (stanza) => {
    const [, id] = / id='(b\d+)'/.exec(stanza) ?? [];
    if (id !== undefined && waiting.delivered(id)) waiting.acknowledged(id);
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
