// EMQX's format of settings (HOCON), as far as deploy/emqx/emqx.conf uses it: objects, lists, `name = value`, comments.
import { joinComment, type Setting, type SettingTree, type SettingValue } from "./setting.ts";

interface Reader {
  text: string;
  at: number;
  /** the comment that what follows is about */
  comment: string;
  settings: Setting[];
}

export interface Hocon {
  tree: SettingTree;
  /** all that are no objects, in the order of the file */
  settings: Setting[];
}

/** Throws with the line when it is none. */
export function readHocon(text: string): Hocon {
  const reader: Reader = { text, at: 0, comment: "", settings: [] };
  const tree = readObject(reader, "", "");
  if (reader.at < text.length) throw wrong(reader, "} is one too many");
  return { tree, settings: reader.settings };
}

function readObject(reader: Reader, path: string, why: string): SettingTree {
  const tree: SettingTree = {};
  reader.comment = "";
  for (;;) {
    skip(reader, true);
    const { text, at } = reader;
    if (at >= text.length || text[at] === "}") return tree;
    const name = readName(reader);
    const full = path === "" ? name : `${path}.${name}`;
    const reason = reader.comment || why;
    skip(reader, false);
    if (reader.text[reader.at] === "=") reader.at += 1;
    else if (reader.text[reader.at] !== "{") throw wrong(reader, `${full} has no value`);
    skip(reader, false);
    const value = readValue(reader, full, reason);
    if (Object.hasOwn(tree, name)) throw wrong(reader, `${full} stands twice`);
    tree[name] = value;
    if (typeof value !== "object" || Array.isArray(value)) reader.settings.push({ name: full, value, why: reason });
  }
}

function readName(reader: Reader): string {
  const [name = ""] = /^[A-Za-z_$][\w-]*/.exec(reader.text.slice(reader.at, reader.at + 100)) ?? [];
  if (name === "") throw wrong(reader, "a name is expected");
  reader.at += name.length;
  return name;
}

function readValue(reader: Reader, path: string, why: string): SettingValue {
  const first = reader.text[reader.at];
  if (first === "{") {
    reader.at += 1;
    const outer = reader.comment;
    const inner = readObject(reader, path, why);
    reader.comment = outer;
    return close(reader, "}", inner);
  }
  if (first === "[") return readList(reader, path, why);
  if (first === '"') return readText(reader);
  const [word = ""] = /^[^\s,\]}#]+/.exec(reader.text.slice(reader.at, reader.at + 200)) ?? [];
  if (word === "") throw wrong(reader, `${path} has no value`);
  reader.at += word.length;
  if (word === "true" || word === "false") return word === "true";
  return /^-?\d+$/.test(word) ? Number(word) : word;
}

function readList(reader: Reader, path: string, why: string): SettingValue {
  const list: SettingValue[] = [];
  reader.at += 1;
  for (;;) {
    skip(reader, true);
    if (reader.text[reader.at] === "]") return close(reader, "]", list);
    if (reader.at >= reader.text.length) throw wrong(reader, `${path} has no ]`);
    list.push(readValue(reader, `${path}[]`, why));
  }
}

function readText(reader: Reader): string {
  const [text] = /^"(?:[^"\\\n]|\\.)*"/.exec(reader.text.slice(reader.at)) ?? [];
  if (text === undefined) throw wrong(reader, 'a " is missing');
  reader.at += text.length;
  return JSON.parse(text) as string;
}

function close<T>(reader: Reader, end: "}" | "]", value: T): T {
  if (reader.text[reader.at] !== end) throw wrong(reader, `${end} is missing`);
  reader.at += 1;
  return value;
}

/** Passes over blanks and commas, over line ends and comments too where `lines` says so. */
function skip(reader: Reader, lines: boolean): void {
  const blank = lines ? /^(?:[ \t,\r]|\n[ \t\r]*\n|\n|#[^\n]*)/ : /^[ \t]/;
  let comment: string[] = [];
  for (;;) {
    const [found] = blank.exec(reader.text.slice(reader.at, reader.at + 1000)) ?? [];
    if (found === undefined) break;
    // A blank line ends what the comment above is about.
    if (/\n[ \t\r]*\n/.test(found)) {
      comment = [];
      reader.comment = "";
    }
    if (found.startsWith("#")) comment.push(found);
    reader.at += /^\n[ \t\r]*\n/.test(found) ? found.length - 1 : found.length;
  }
  if (comment.length > 0) reader.comment = joinComment(comment);
}

function wrong({ text, at }: Reader, what: string): Error {
  return new Error(`line ${text.slice(0, at).split("\n").length}: ${what}`);
}
