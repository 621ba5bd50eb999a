// deploy/nats/users.conf as text: each user with its password by name, and the subjects that it may publish and subscribe.
import { backupSubject } from "@parley/protocol";
import { type Permissions, permissions } from "./permissions.ts";

const head = `# Who may say what over NATS, a user for each service. Written from test/deploy/nats/permissions.ts by
# \`node test/deploy/nats/write-users.ts\`; a test fails when it drifts. The passwords are beside it.
include "passwords/passwords.conf"`;

/** What a user may publish and subscribe; its answers come to inboxes that nobody else may subscribe. */
export function ruleOf(user: string, { answers = [], asks = [], hears = [], tells = [] }: Permissions) {
  // How far a backup is, a service tells to the inbox of who asked.
  const progress = answers.some((subject) => subject.startsWith(backupSubject(""))) ? ["_INBOX.operator.>"] : [];
  return {
    publish: [...new Set([...asks, ...tells, ...progress])].sort(),
    subscribe: [...new Set([...answers, ...hears, `_INBOX.${user}.>`])].sort(),
    mayAnswer: answers.length > 0,
  };
}

/** The whole file. */
export function usersFile(): string {
  const users = Object.entries(permissions).map(([user, permitted]) => {
    const { publish, subscribe, mayAnswer } = ruleOf(user, permitted);
    const list = (subjects: readonly string[]) => subjects.map((subject) => `          "${subject}"\n`).join("");
    // One answer to each request, to whichever inbox it names.
    const answer = mayAnswer ? '        allow_responses: { max: 1, expires: "10m" }\n' : "";
    return `    {
      user: "${user}", password: $password-of-${user}
      permissions: {
        publish: [
${list(publish)}        ]
        subscribe: [
${list(subscribe)}        ]
${answer}      }
    }`;
  });
  return `${head}\n\nauthorization {\n  users: [\n${users.join("\n")}\n  ]\n}\n`;
}
