// The device that is spoken with: its accounts, what it said last, and how it is answered.
import type { AppError } from "../../../errors.ts";
import type { Tree } from "../../../trees.ts";
import type { Parley, Published } from "../../dialect.ts";
import type { Term } from "../bert/term.ts";
import type { RecordSet } from "../records/kinds.ts";
import { type Form, writePayload } from "../records/payload.ts";
import { type OwnWords, refusal, wordOf } from "./answers.ts";
import { createTold, type Told } from "./contacts.ts";
import { phoneOf } from "./names.ts";

export interface Account {
  /** its phone_id */
  uid: string;
  phone: string;
  /** its number among those of the phone */
  roster: number;
}

export interface Device {
  tree: Tree;
  parley: Parley;
  accounts: Account[];
  /** of its first account */
  phone: string;
  /** the set of records that it speaks, and how it wrote last */
  set: RecordSet;
  form: Form;
  /** The packet of that topic, in the device's set and form. */
  packet(topic: string, record: Term): { topic: string; payload: Uint8Array };
  say(topic: string, record: Term): Promise<void>;
  /** the device's own topic, on which its calls are answered */
  own: string;
  answer(record: Term): Promise<void>;
  refuse(error: AppError, own?: OwnWords): Promise<void>;
  /** The topic of all devices of the phone. */
  ses: string;
  told: Told;
  /** Did it send a message of this msg_id lately? From now on it did. */
  isAgain(msgId: string): boolean;
}

const sentKept = 1_000;

/** One call of the device. */
export interface Call {
  device: Device;
  packet: Published;
}

export function openDevice(tree: Tree, parley: Parley): Device {
  const { phone } = phoneOf(tree.uid);
  const own = `actions/1/${tree.username || "api"}/${tree.clientId}`;
  const device: Device = {
    tree,
    parley,
    accounts: tree.accounts.map((uid, at) => ({ uid, roster: at + 1, ...phoneOf(uid) })),
    phone,
    set: tree.clientId.startsWith(lateClientIds) ? "late" : "v1",
    form: "bert",
    ses: `ses/${phone}`,
    told: createTold(),
    isAgain: createIsAgain(),
    packet: (topic, record) => ({ topic, payload: writePayload(record, device.form) }),
    say: (topic, record) => parley.say(device.packet(topic, record)),
    own,
    answer: (record) => device.say(own, record),
    refuse: (error, words) => device.answer(refusal(wordOf(error, words))),
  };
  return device;
}

function createIsAgain(): (msgId: string) => boolean {
  const sent = new Set<string>();
  return (msgId) => {
    const isAgain = sent.has(msgId);
    sent.add(msgId);
    const [oldest] = sent;
    if (sent.size > sentKept && oldest !== undefined) sent.delete(oldest);
    return isAgain;
  };
}

/** A client id that registration gave says which set the device speaks, so that it is greeted in it when it comes again. */
const lateClientIds = "emqttd_late_";
const v1ClientIds = "emqttd_v1_";

export function clientIdsOf(set: RecordSet): string {
  return set === "late" ? lateClientIds : v1ClientIds;
}

/** The account that a device names by its phone_id, its number, or not at all; undefined: it is none of its own. */
export function accountOf({ accounts, phone }: Device, named: string | number | undefined): Account | undefined {
  if (named === undefined || named === "") return accounts[0];
  return accounts.find(
    ({ uid, roster }) => uid === named || roster === Number(named) || named === `${phone}_${roster}`,
  );
}

/** What a table has under a name that a device gave. */
export function entryOf<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
