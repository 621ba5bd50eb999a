// The methods as one page for people: docs/methods.md.
import { methods } from "../methods/index.ts";
import type { Access, Method } from "../methods/method.ts";

const head = `# Methods

Every method, as it is defined in \`packages/protocol/src/methods\`: an HTTP route, a request over MQTT and a typed call of the
SDK are made of each. What is given and answered, and which errors there are, is in [openapi.json](openapi.json) and
[asyncapi.json](asyncapi.json); what they are for is in [protocol.md](protocol.md). Files have routes of their own there.

**MQTT**: called by a request on \`im/up/…/rpc\` too. **Who**: a user, an application with a server key, the operator with the services'
secret, or anybody.
`;

const callers: Readonly<Record<Access, string>> = {
  user: "user",
  key: "application",
  operator: "operator",
  public: "anybody",
};

/** Markdown; generated, like the documents beside it. */
export function methodsPage(): string {
  const groups = Map.groupBy(methods.values(), ({ name }) => (name.includes(".") ? name.split(".", 1)[0]! : "login"));
  const sections = [...groups].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(sectionOf);
  return [head, ...sections].join("\n");
}

function sectionOf([group, members]: [group: string, members: Method[]]): string {
  const rows = members.map(
    ({ name, http, mqtt, access, summary }) =>
      `| \`${name}\` | \`${http.verb} ${http.path}\` | ${mqtt ? "yes" : "–"} | ${callers[access]} | ${summary.replaceAll("|", "\\|")} |`,
  );
  return [`## ${group}`, "", "| method | HTTP | MQTT | who | |", "|---|---|---|---|---|", ...rows, ""].join("\n");
}
