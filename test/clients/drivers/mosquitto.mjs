// mosquitto_sub with a persistent session, and a mosquitto_pub a message on a device of its own.
import { execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { account, listen, say } from "./lines.mjs";

const version = `mqttv${process.env.MQTT_VERSION === "5" ? "5" : "311"}`;
const login = (clientId, password) => {
  const { host, port, username } = account;
  return ["-h", host, "-p", `${port}`, "-u", username, "-P", password, "-i", clientId, "-V", version, "-q", "1"];
};

const topics = account.topics.flatMap((topic) => ["-t", topic]);
const args = [...login(account.clientId, account.password), "-c", ...topics, "-v", "-d"];
if (version === "mqttv5") args.push("-x", "3600");
const sub = spawn("stdbuf", ["-oL", "mosquitto_sub", ...args], { stdio: ["ignore", "pipe", "inherit"] });
sub.on("exit", (code) => {
  say("log", `mosquitto_sub ended with ${code}`);
  process.exit(code ?? 1);
});
createInterface({ input: sub.stdout }).on("line", (line) => {
  if (/^Subscribed/.test(line)) say("up");
  else if (/sending CONNECT$/.test(line)) say("down");
  else if (line.startsWith("im/")) say("in", line);
});
process.on("exit", () => sub.kill());

// One after the other, as a script would; a mosquitto_pub that fails is told, and the message comes again.
let last = Promise.resolve();
listen((topic, payload) => {
  last = last.then(
    () =>
      new Promise((resolve) => {
        const own = login(process.env.MQTT_PUBLISHER_ID, process.env.MQTT_PUBLISHER_PASSWORD);
        const pub = execFile("mosquitto_pub", [...own, "-t", topic, "-s"], { timeout: 10_000 }, (error, _, text) => {
          if (error) say("log", (text || error.message).trim().split("\n").at(-1));
          resolve();
        });
        pub.stdin.on("error", () => {});
        pub.stdin.end(payload);
      }),
  );
});
