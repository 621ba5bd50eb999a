// Whether a server answers, asked in its own protocol.
import { connect } from "node:net";

/**
 * One TCP connection: says `question` and compares what comes back, a line for each of its lines. `""`: being let in is
 * enough; undefined: the server speaks first.
 */
export async function answers(port: number, question: string | undefined, expected: RegExp): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    const asked = question ? question.split("\n").length - 1 : 1;
    let heard = "";
    socket.setTimeout(1_000, () => end(false));
    socket.once("error", () => end(false));
    socket.once("close", () => resolve(false));
    socket.once("connect", () => (question === "" ? end(true) : question && socket.write(question)));
    socket.setEncoding("latin1").on("data", (text: string) => {
      heard += text;
      const lines = heard.split("\n").length - 1;
      if (lines >= asked) end(expected.test(heard));
    });
  });
}
