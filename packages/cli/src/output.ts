// What goes to the terminal or the pipe: text or one JSON object a line, colours only where somebody looks.
import { styleText } from "node:util";

export type Style = "dim" | "bold" | "green" | "red" | "cyan" | "yellow";

export interface Output {
  json: boolean;
  /** A result: `text` for people, `value` with --json. */
  result(value: unknown, text: string): void;
  /** Something to know that is no result; on stderr. */
  note(text: string): void;
  style(style: Style, text: string): string;
}

export function openOutput(json: boolean): Output {
  return {
    json,
    result: (value, text) => process.stdout.write(`${json ? JSON.stringify(value) : text}\n`),
    note: (text) => {
      if (!json) process.stderr.write(`${text}\n`);
    },
    style: (style, text) => styleText(style, text, { stream: process.stdout, validateStream: true }),
  };
}

// Whatever others write must not move the cursor, colour or title of our terminal.
const controls = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/** Text of others as it may be shown. */
export function printable(text: string): string {
  return text.replaceAll(controls, "\ufffd").replaceAll("\t", " ").replaceAll("\n", "\n    ");
}
