// docs/interoperation.md: everything that Parley has for a device, and what devices of each protocol are sent of it, by the code that
// does it.
import type { Downlink, Said } from "@parley/protocol/dialects";
import { comesIn, contents, direct, events, messageOf, otherContents, room, settings, told } from "./examples.ts";
import { type Listener, listeners } from "./listeners.ts";

/** What one of the listeners was sent of one example. */
export interface Heard {
  /** section of the page, and what is told */
  section: string;
  title: string;
  listener: Listener;
  said: readonly Said[];
  /** what Parley has, as its native packet has it; undefined: the device published something itself */
  packet: Downlink | undefined;
}

interface Example {
  section: string;
  title: string;
  packets?: Downlink[];
  sent?: Parameters<NonNullable<Listener["send"]>>;
}

const text = contents.text;
const seq = 20;
/** The device has heard of the room. */
const before = messageOf(room, seq - 1, "alice", text);

const eventOf = (at: number, event: string, data: { by: string }) =>
  messageOf(room, at, data.by, { type: "event", data: { event, ...data } });

const examples: Example[] = [
  { section: "A text", title: "to one user", packets: [messageOf(direct, seq, "alice", text)] },
  { section: "A text", title: "in a room", packets: [messageOf(room, seq, "alice", text)] },
  { section: "A text", title: "one's own, from another device", packets: [messageOf(direct, seq, "bob", text)] },
  ...Object.entries(settings).map(([title, more]) => ({
    section: "A text",
    title,
    packets: [before, messageOf(room, seq, "alice", text, more)],
  })),
  { section: "What who sends is told", title: "a text to a user is stored", sent: ["alice", "hi"] },
  { section: "What who sends is told", title: "a text in a room is stored", sent: ["tea", "hi"] },
  { section: "What who sends is told", title: "a text is refused", sent: ["nobody", "hi"] },
  {
    section: "What who sends is told",
    title: "a text is larger than the server takes",
    sent: ["tea", "hi…", "too large"],
  },
  ...Object.entries({ ...contents, ...otherContents }).map(([type, content]) => ({
    section: "Content types",
    title: type,
    packets: [before, messageOf(room, seq, "alice", content)],
  })),
  ...Object.entries(events).map(([event, data]) => ({
    section: "What happens in a room",
    title: event,
    packets: [...(comesIn.has(event) ? [] : [eventOf(seq - 1, "join", events.join)]), eventOf(seq, event, data)],
  })),
  ...Object.values(told).flatMap((notices) =>
    notices.map(({ title, packet, before: first = [] }) => ({
      section: "Receipts, typing, presence and other notices",
      title,
      packets: [...first, packet],
    })),
  ),
];

/** Time stands still meanwhile: what a device is told by itself bears it. */
export async function hearAll(): Promise<Heard[]> {
  const { now } = Date;
  Date.now = () => 1_795_240_400_000;
  try {
    const heard: Heard[] = [];
    for (const { section, title, packets, sent } of examples)
      for (const listener of listeners) {
        if (sent && !listener.send) continue;
        const said = packets ? await listener.hear(packets) : ((await (sent && listener.send?.(...sent))) ?? []);
        heard.push({ section, title, listener, said, packet: packets?.at(-1) });
      }
    return heard;
  } finally {
    Date.now = now;
  }
}

const cell = (words: string) => `\`${words.replaceAll("|", "\\|").replaceAll("\n", "\\n")}\``;

function rowOf({ listener, said, section, packet }: Heard): string {
  const isShort = section === "Content types" || section === "What happens in a room";
  const whole = isShort && packet !== undefined ? undefined : ("whole" as const);
  if (said.length === 0) return `| ${listener.name} | – | – |`;
  return said
    .map((one, at) => `| ${at === 0 ? listener.name : ""} | ${cell(one.topic)} | ${cell(listener.show(one, whole))} |`)
    .join("\n");
}

const intros: Readonly<Record<string, string>> = {
  "A text":
    "Whole, with all that messages of each protocol have beside their content. A device of ASSChat is told of a channel before its first message.",
  "What who sends is told":
    "Here bob's device writes. A native one is told an `ack` or a `nack` ([protocol.md](protocol.md)). Beside what stands here each has its PUBACK or PUBCOMP.",
  "Content types":
    "In a room, by alice. Between two users the same is said on the topics of a text. What every message has is left out: who, where and when.",
  "What happens in a room":
    "Events by alice and carol, who is in the room already where it is about one that is. They are messages of the type `event`.",
  "Receipts, typing, presence and other notices":
    "None of this is a message: what a protocol has no word for is not said.",
};

/** `heard`: all of it, in the order of the page. */
export function interoperationPage(heard: readonly Heard[]): string {
  const lines = [
    "# Interoperation",
    "",
    "What a device of each protocol is sent of everything that Parley has. Made by `node test/documents/write-interoperation.ts` from the code",
    "that says it; a test fails when it is not so any more.",
    "",
    "**Who is asked.** bob has a device of each protocol. alice writes to him, and in the room `tea`, of which both are members. Message 11 is bob's,",
    "12 is alice's text, 13 her poll.",
    "",
    "| protocol | what the device has subscribed |",
    "|---|---|",
    ...listeners.map(({ name, filters }) => `| ${name} | ${filters.map(cell).join(" ")} |`),
    "",
    "Devices of SlimChat and chat subscribe nothing: it is done for them. One of mqtt-chat that subscribes the page's long topics is told on those.",
    "The chatroom has rooms alone; here bob speaks it by his account. What chat says is shown as records of Erlang, without what is empty or 0: they go out",
    "as terms, or as JSON to who writes JSON.",
    "",
    "Every message reaches everybody: what a protocol has no word for becomes text. **–**: nothing is sent. A message that a device has no filter for is",
    "passed over, as by any broker; when it subscribes, it is sent what came in the conversation behind the last message that it was sent.",
  ];
  let section = "";
  for (const [at, one] of heard.entries()) {
    if (one.section !== section) lines.push("", `## ${one.section}`, "", intros[one.section] ?? "");
    section = one.section;
    if (one.title !== heard[at - 1]?.title)
      lines.push("", `### ${one.title}`, "", "| protocol | topic | payload |", "|---|---|---|");
    lines.push(rowOf(one));
  }
  return `${lines.join("\n")}\n`;
}
