// Own trees: what a device of another protocol publishes and subscribes on `T` is, behind the broker, below a prefix of its
// own; and what services tell each other of such devices.
import type { WireError } from "./errors.ts";

/** Who has a tree. `user`: a login. `guest`: of the configuration, without account. `anonymous`: it may register, and no more. */
export type TreeOwner = "user" | "guest" | "anonymous";

export interface TreeName {
  p: string;
  owner: TreeOwner;
  /** of a guest: the name that it logged in by; of nobody: empty */
  uid: string;
  clientId: string;
}

/** What the broker puts before every topic and filter of the device: `im/x/{p}/{uid}/{clientId}/`. No uid begins with `~`. */
export function treeMountpoint({ p, owner, uid, clientId }: TreeName): string {
  return `im/x/${p}/${treeUser({ owner, uid })}/${escapeLevel(clientId)}/`;
}

/** Whose it is, in one word: the uid, `~` and the name of a guest, `~` for nobody. */
export function treeUser({ owner, uid }: Pick<TreeName, "owner" | "uid">): string {
  return owner === "user" ? uid : `~${uid}`;
}

/** What `treeUser` wrote. */
export function parseTreeUser(user: string): Pick<TreeName, "owner" | "uid"> {
  if (!user.startsWith("~")) return { owner: "user", uid: user };
  return { owner: user === "~" ? "anonymous" : "guest", uid: user.slice(1) };
}

/**
 * What a proxy puts before the topics that a device publishes, given the mountpoint of its filters: `im/xu/…`. Nobody subscribes
 * there but routers, so a device hears nothing that it published itself.
 */
export function treeUplinkPrefix(mountpoint: string): string {
  return mountpoint.replace("im/x/", "im/xu/");
}

/** Levels that what a proxy puts before a topic or a filter has. */
export const treeLevels = 5;

/** The same before the topic of its Last Will, so that a router tells it from what a living device publishes: `im/xw/…`. */
export function treeWillPrefix(mountpoint: string): string {
  return mountpoint.replace("im/x/", "im/xw/");
}

/**
 * Where a proxy tells the router of a publish that it refused (TreeRefusal), so that the device hears of it in its dialect's words:
 * `im/xr/…`. The device's own topic is in the payload, as it may be one that no broker takes.
 */
export function treeRefusalTopic(mountpoint: string): string {
  return `${mountpoint.replace("im/x/", "im/xr/")}publish`;
}

/** What the router of partition `p` subscribes to hear its trees; `noLocal`: it publishes there itself. */
export function treeFilters(p: string): { topic: string; noLocal: boolean }[] {
  return [
    { topic: `im/xu/${p}/#`, noLocal: false },
    { topic: `im/xw/${p}/#`, noLocal: false },
    { topic: `im/xr/${p}/#`, noLocal: false },
    { topic: `im/x/${p}/#`, noLocal: true },
  ];
}

/** Whose tree a topic is in, and what the device wrote. */
export interface TreeTopic extends TreeName {
  topic: string;
  /** It is of a Last Will. */
  will?: true;
  /** It is of a publish that was refused: see treeRefusalTopic. */
  refused?: true;
}

/** undefined: it is in none. */
export function parseTreeTopic(topic: string): TreeTopic | undefined {
  const parts = /^im\/x[uwr]?\/([0-9a-f])\/([^/]+)\/([^/]+)\/(.+)$/s.exec(topic);
  if (!parts) return undefined;
  const [, p = "", user = "", level = "", inner = ""] = parts;
  const clientId = unescapeLevel(level);
  if (clientId === undefined) return undefined;
  const found = { p, ...parseTreeUser(user), clientId, topic: inner };
  if (topic.startsWith("im/xw/")) return { ...found, will: true };
  return topic.startsWith("im/xr/") ? { ...found, refused: true } : found;
}

/** What `treeMountpoint` wrote; undefined: it is no mountpoint. */
export function parseMountpoint(mountpoint: string): TreeName | undefined {
  const { topic, ...name } = parseTreeTopic(`${mountpoint}t`) ?? {};
  return topic === "t" && treeMountpoint(name as TreeName) === mountpoint ? (name as TreeName) : undefined;
}

/** A publish that reached no router. */
export interface TreeRefusal {
  /** as the device wrote it */
  topic: string;
  /** base64: how the payload begins, the first KiB of it at most */
  beginning: string;
  error: WireError;
}

/** A filter of the device as the broker has it, without the mountpoint: as the device wrote it. */
export function unmountedFilter(mountpoint: string, filter: string): string {
  const shared = /^\$share\/[^/]+\//.exec(filter)?.[0] ?? "";
  const rest = filter.slice(shared.length);
  return rest.startsWith(mountpoint) ? shared + rest.slice(mountpoint.length) : filter;
}

/** A client id may have what divides a topic: that is written `%2F`. */
function escapeLevel(text: string): string {
  return text.replace(/[%/+#]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

function unescapeLevel(level: string): string | undefined {
  if (!level.includes("%")) return level;
  try {
    return decodeURIComponent(level);
  } catch {
    return undefined;
  }
}

/** A connected device with a tree, as presence knows it. */
export interface Tree extends TreeName {
  /** all accounts of its login, `uid` among them: it may act for each */
  accounts: string[];
  /** named by its token or its client id; else the first topic that it uses says it */
  dialect?: string;
  /** as its CONNECT had it: not always the uid */
  username?: string;
  protocol?: number;
  /** of a guest: the topics that it may use begin so */
  prefix?: string;
  /** it keeps its session while it is away, and gets then what it missed; never of a guest or of nobody, who are forgotten */
  persistent: boolean;
  /** its token has run out, and was good all the same: it is to get a new one first */
  expired?: true;
  /** of this connection, where the broker names it */
  connection?: string;
  /** unix ms */
  connectedAt: number;
  /** as the device wrote them */
  filters: string[];
  /** rises with every change of the device: of two trees or events of one device that with the higher one counts */
  version: number;
}

/** `trees.event` (event, to every router): a device with a tree came, subscribed or unsubscribed, or went. */
export type TreeEvent =
  | { event: "here"; tree: Tree }
  | ({ event: "gone"; connection?: string; version: number } & TreeName);

/** `trees.list` (request to presence): the connected ones, `p`'s alone where it is given. → TreesReply */
export interface TreesRequest {
  p?: string;
  /** `next` of the page before */
  page?: string;
}

export interface TreesReply {
  trees: Tree[];
  next: string | null;
}

/** `trees.filters` (request to presence → {}): what a device with a tree subscribed and unsubscribed, once the broker has it. */
export interface FiltersChange {
  clientId: string;
  connection?: string;
  added: string[];
  removed: string[];
}

/** `trees.learned` (request to presence → {}): a router saw which dialect the device speaks. */
export interface DialectLearned {
  clientId: string;
  dialect: string;
}

/**
 * How far a device has each conversation: what is behind is sent when it comes back. Beside conversations there are marks that
 * its dialect keeps in them, `markKey`.
 */
export type Cursors = Record<string, number>;

/** A dialect's own mark in a conversation: `{mark}:{conv}`, the mark 1 to 16 letters. */
export function markKey(mark: string, conv: string): string {
  return `${mark}:${conv}`;
}

/** What `markKey` wrote; undefined: it is none, but a conversation, say. */
export function parseMark(key: string): { mark: string; conv: string } | undefined {
  const [, mark, conv] = /^([a-z]{1,16}):(.+)$/s.exec(key) ?? [];
  return mark === undefined || conv === undefined ? undefined : { mark, conv };
}

/**
 * In place of a conversation, at 0: the device was here, also if it had no conversation then. What comes while it is away is sent
 * when it is back, where a device that was never here begins with what comes.
 */
export const wasHere = "";

/** `trees.cursors` (request to presence): keeps how far devices are (→ {}), or answers how far one is (→ CursorsReply). */
export type CursorsRequest =
  | { keep: { clientId: string; cursors: Cursors }[] }
  | {
      clientId: string;
      /** `next` of the page before */
      page?: string;
    };

/** One page. */
export interface CursorsReply {
  /** null: the device was never here */
  cursors: Cursors | null;
  next: string | null;
}

/** `deliver.{p}` (event, to the router that holds `p`): a packet for devices with trees. It may be lost: the desk of a device looks again for what it lacks. */
export interface TreeDelivery {
  /** client ids */
  devices: string[];
  /** a packet of packets/downlink.ts */
  packet: Record<string, unknown>;
  /** the native topic's last word: for the user, ephemeral, for the device */
  channel: "m" | "e" | "d";
  /** base64, of a request that is answered */
  correlationData?: string;
}
