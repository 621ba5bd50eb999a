// The lines and the prompt of a chat: on a terminal what arrives appears above what is being typed; in a pipe, plain lines.
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";

export interface Screen {
  /** Prints above the prompt. */
  print(text: string): void;
  /** What stands before the prompt: marks, who is typing. */
  setStatus(text: string): void;
  close(): void;
}

export interface ScreenOptions {
  prompt: string;
  onLine(line: string): void;
  /** stdin has ended, or Ctrl-C, Ctrl-D */
  onEnd(): void;
  /** a key was pressed while a line is being typed; on terminals only */
  onTyping(): void;
}

export function openScreen({ prompt, onLine, onEnd, onTyping }: ScreenOptions): Screen {
  const { stdin, stdout } = process;
  const terminal = stdin.isTTY === true && stdout.isTTY === true;
  const lines = createInterface({ input: stdin, ...(terminal && { output: stdout }), terminal, prompt });
  let closed = false;
  let shownPrompt = prompt;

  // The echo of what was typed gives way to the message itself, which appears once it is stored.
  function eraseEcho(line: string): void {
    const width = stripVTControlCharacters(shownPrompt).length + line.length;
    const rows = Math.floor(width / (stdout.columns || 80)) + 1;
    stdout.write(`\x1b[${rows}A\r\x1b[J`);
  }

  lines.on("line", (line) => {
    if (terminal) eraseEcho(line);
    onLine(line);
    if (terminal && !closed) lines.prompt();
  });
  lines.once("close", () => {
    closed = true;
    onEnd();
  });
  lines.on("SIGINT", () => lines.close());
  if (terminal) {
    stdin.on("keypress", () => {
      if (lines.line !== "" && !lines.line.startsWith("/")) onTyping();
    });
    lines.prompt();
  }

  return {
    print(text) {
      if (!terminal || closed) return void stdout.write(`${text}\n`);
      stdout.write(`\r\x1b[J${text}\n`);
      lines.prompt(true);
    },
    setStatus(text) {
      const next = text === "" ? prompt : `${text} ${prompt}`;
      if (!terminal || closed || next === shownPrompt) return;
      shownPrompt = next;
      lines.setPrompt(next);
      lines.prompt(true);
    },
    close() {
      if (terminal && !closed) stdout.write("\r\x1b[J");
      closed = true;
      lines.removeAllListeners();
      lines.close();
    },
  };
}
