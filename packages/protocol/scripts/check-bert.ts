// Asks the real Erlang (`erl`, of Debian's erlang-base) whether it reads in our bytes what it wrote itself, for every vector; by
// hand, as no test needs Erlang: node packages/protocol/scripts/check-bert.ts
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { decodeTerm } from "../src/dialects/chat/bert/decode.ts";
import { encodeTerm } from "../src/dialects/chat/bert/encode.ts";

const script = `
  Bin = fun(Hex) -> binary:encode_unsigned(binary_to_integer(Hex, 16)) end,
  Loop = fun Loop(Same, Not) ->
    case io:get_line("") of
      eof -> io:format("~p the same, not: ~p~n", [Same, Not]), halt(min(1, length(Not)));
      Line ->
        [Name, Theirs, Ours] = string:split(string:trim(Line), "\\t", all),
        case binary_to_term(Bin(list_to_binary(Theirs))) =:= binary_to_term(Bin(list_to_binary(Ours))) of
          true -> Loop(Same + 1, Not);
          false -> Loop(Same, [Name | Not])
        end
    end
  end,
  Loop(0, []).`;

const vectors = ["erlang.tsv", "devices.tsv", "clients.tsv"].flatMap((file) =>
  readFileSync(new URL(`../fixtures/chat/${file}`, import.meta.url), "utf8")
    .split("\n")
    // What BERT-RPC wraps is taken out of its wrapping on purpose.
    .filter((line) => !line.startsWith("BERT-RPC"))
    .flatMap((line) => {
      const hexes = line.split("\t").filter((field) => /^83[0-9a-f]+$/.test(field));
      return hexes.map((hex) => [line.split("\t")[0], hex] as const);
    }),
);
const input = vectors.map(([name, hex]) => {
  const ours = Buffer.from(encodeTerm(decodeTerm(Buffer.from(hex, "hex")))).toString("hex");
  return `${name}\t${hex}\t${ours}\n`;
});
const { stdout, stderr, status, error } = spawnSync("erl", ["-noshell", "-eval", script], { input: input.join("") });
process.stdout.write(error ? `erl cannot be run: ${error.message}\n` : `${stdout}${stderr}`);
process.exitCode = status ?? 1;
