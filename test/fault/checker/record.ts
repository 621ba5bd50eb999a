// What a run did and what everybody saw of it: all that the checker is given.

/** A message as anybody has it: everything that must be the same for all. */
export interface Copy {
  conv: string;
  seq: number;
  from: string;
  device: string;
  id: string;
  /** content.type */
  type: string;
  /** the sender's fields, as JSON text */
  body: string;
}

/** A message a device set out to send; it is sent again with the same id until it is acknowledged. */
export interface Sent {
  conv: string;
  from: string;
  device: string;
  id: string;
  type: string;
  /** undefined: the SDK wrote it, only `type` is compared */
  body: string | undefined;
  /** ms of performance.now() */
  firstAt: number;
  /** place among this device's messages to this conversation */
  order: number;
  /** how often the device published it */
  tries: number;
  /** codes of the nacks it got */
  nacks: string[];
  prev: string | undefined;
}

export interface Ack {
  conv: string;
  device: string;
  id: string;
  seq: number;
}

/** A packet that must be refused, with the code that was expected and those that came. */
export interface Bad {
  device: string;
  what: string;
  expected: string;
  /** the text that no stored message may carry */
  mark: string;
  nacks: string[];
}

/** What one user has of one conversation. */
export interface View {
  messages: Copy[];
  firstSeq: number;
  lastSeq: number;
}

export interface Listed {
  lastSeq: number;
  readSeq: number;
  unread: number;
}

/** The read mark of a user in a conversation. */
export interface ReadMark {
  /** the highest the user's devices asked for */
  asked: number;
  /** the highest that a receipt named */
  told: number;
}

/** What a device with the SDK showed of each conversation, in that order, over all its starts. */
export interface Screen {
  uid: string;
  device: string;
  shown: Map<string, Copy[]>;
}

/** One device that receives with a persistent session. */
export interface Receiver {
  uid: string;
  device: string;
  /** conv → seq → the copies that came and differ from each other */
  got: Map<string, Map<number, Copy[]>>;
}

/** A message as the program of another protocol was told of it. */
export interface Utterance {
  conv: string;
  from: string;
  /** by this and `from` the program knows a message again */
  id: string;
  /** undefined: the protocol has none */
  seq: number | undefined;
  /** undefined: no plain text */
  text: string | undefined;
}

/** A device with a program of another protocol and a persistent session. */
export interface ProgramDevice {
  uid: string;
  device: string;
  program: string;
  /** where its own messages come back to it */
  echoes: "never" | "rooms" | "always";
  sent: readonly Sent[];
  /** id of what it sent → what it said */
  texts: ReadonlyMap<string, string>;
  /** what its protocol told it is kept, and as which seq; undefined: a PUBACK is all that it has for an ack */
  confirmed: ReadonlyMap<string, number | undefined>;
  /** every message that came, in order, those that came again too */
  heard: readonly Utterance[];
}

export interface Reader {
  uid: string;
  /** by history.get, page after page */
  views: Map<string, View>;
  /** by sync without cursors */
  synced: Map<string, View>;
  /** conversations.list */
  listed: Map<string, Listed>;
  marks: Map<string, ReadMark>;
  /** what it got of conversations it was removed from and invited to again: by history.get and by sync, several times each */
  glimpses: Map<string, View[]>;
}

/** A message of a device that says things until each is answered; to somebody who may have blocked its sender. */
export interface Said {
  id: string;
  /** ms of performance.now(): before its first publish */
  firstAt: number;
  /** undefined: none came */
  answer?: "stored" | "refused";
  answeredAt?: number;
  /** where it stands, as its ack said; `ts` unix ms */
  place?: { conv: string; seq: number; ts: number };
}

/** From and to, ms of performance.now(). */
export type Period = readonly [from: number, to: number];

/** What one who is blocked now and then said, and what the other has of it. */
export interface Blocking {
  owner: string;
  sender: string;
  said: readonly Said[];
  /** from the answer to a block to the request that ends it */
  blocked: readonly Period[];
  /** the other way round */
  open: readonly Period[];
  /** changes that were refused, and why */
  refused: readonly string[];
  /** ids that the owner reads in the end */
  stored: ReadonlySet<string>;
  /** ids that the owner's device got, and when it got them first */
  live: ReadonlyMap<string, number>;
}

/** A message as it is read, whatever is left of it. */
export interface Remains {
  seq: number;
  from: string;
  /** of an erased user's: `erased-{seq}` */
  id: string;
  /** content.type */
  type: string;
  /** content.data of a text */
  text: string | undefined;
  /** a recall stands for it, because its time was over */
  ended: boolean;
}

/** A user whose account was erased while it wrote. */
export interface Leaver {
  uid: string;
  /** stands in whatever it said, and in its name */
  mark: string;
  said: readonly Said[];
  /** ms of performance.now(): when its removal was answered; undefined: it was not */
  removedAt: number | undefined;
  /** and when it was said to be done */
  erasedAt: number | undefined;
}

/** What users left who were erased, and what became of those who go on. */
export interface Erasing {
  leavers: readonly Leaver[];
  /** what the one who stays said beside them */
  said: readonly Said[];
  /** readings of conversations when all was done, by whatever method */
  readings: readonly { what: string; conv: string; messages: readonly Remains[] }[];
  /** answers of that time as they came */
  answers: readonly { what: string; text: string }[];
  /** what could not be done, and why */
  refused: readonly string[];
}

/** How long a message is to be read. */
export interface Life {
  seconds: number;
  /** from its sending, or from its first reading by another one */
  from: "sent" | "read";
}

/** Which messages one answer showed. */
export interface Glimpse {
  what: "history" | "sync" | "search";
  /** ms of performance.now() */
  askedAt: number;
  answeredAt: number;
  /** it shows all from here on that may be shown; undefined: perhaps not all */
  from: number | undefined;
  ids: ReadonlySet<string>;
}

/** Messages of which some disappear, and who reads them. */
export interface Vanishing {
  said: readonly Said[];
  /** by id; others stay */
  lives: ReadonlyMap<string, Life>;
  /** read marks of the other one: up to which seq, and when it was first asked for (ms of performance.now()) */
  reads: readonly { seq: number; at: number }[];
  glimpses: readonly Glimpse[];
  /** all of it when the last one's time was over */
  last: readonly Remains[];
  /** of which messages a recall came live */
  recalled: ReadonlySet<number>;
  /** ids that a device with the SDK still has */
  cached: ReadonlySet<string>;
}

export interface RunRecord {
  /** conv → uids, the same from the first to the last message */
  members: Map<string, readonly string[]>;
  /** conv → uids that were removed and invited again and again */
  passing: Map<string, readonly string[]>;
  /** invitations and removals that were refused, and why */
  refusedChanges: readonly string[];
  blocking: Blocking;
  erasing: Erasing;
  vanishing: Vanishing;
  /** when a clock was wrong */
  skews: readonly Period[];
  sent: readonly Sent[];
  acks: readonly Ack[];
  bad: readonly Bad[];
  receivers: readonly Receiver[];
  programs: readonly ProgramDevice[];
  screens: readonly Screen[];
  readers: readonly Reader[];
  /** false: the broker itself was killed and forgot sessions; what it lost is fetched by sync */
  liveComplete: boolean;
}
