// One setting of a broker as a file of deploy/ has it, and why it is so: the comment above it.

export interface Setting {
  /** its name with dots between; an entry of a list has `[]` */
  name: string;
  value: SettingValue;
  why: string;
}

export type SettingValue = string | number | boolean | SettingValue[] | SettingTree;

export type SettingTree = { [name: string]: SettingValue };

/** A comment's lines as one sentence after another; a blank line ends what it is about. */
export function joinComment(lines: readonly string[]): string {
  return lines.map((line) => line.replace(/^#\s?/, "").trim()).join(" ");
}
