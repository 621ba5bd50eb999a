// The line protocol of the drivers, for those in JavaScript: see ../driver.ts.
import { createInterface } from "node:readline";

/** Says one line to the harness. */
export function say(...words) {
  process.stdout.write(`${words.join(" ")}\n`);
}

/** Calls `publish(topic, payload)` for each `pub` line, and ends with the input. */
export function listen(publish) {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const [command, topic] = line.split(" ", 2);
    if (command === "pub") publish(topic, line.slice(command.length + topic.length + 2));
  });
  lines.on("close", () => process.exit(0));
}

export const account = {
  host: process.env.MQTT_HOST,
  port: Number(process.env.MQTT_PORT),
  ws: process.env.MQTT_WS,
  username: process.env.MQTT_USER,
  password: process.env.MQTT_PASSWORD,
  clientId: process.env.MQTT_CLIENT_ID,
  topics: (process.env.MQTT_SUBSCRIBE ?? "").split(" "),
};
