// HiveMQ MQTT Client, MQTT 5.
import com.hivemq.client.mqtt.MqttGlobalPublishFilter;
import com.hivemq.client.mqtt.datatypes.MqttQos;
import com.hivemq.client.mqtt.mqtt5.Mqtt5AsyncClient;
import com.hivemq.client.mqtt.mqtt5.Mqtt5Client;
import com.hivemq.client.mqtt.mqtt5.message.subscribe.Mqtt5Subscribe;
import com.hivemq.client.mqtt.mqtt5.message.subscribe.Mqtt5Subscription;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Collectors;

public class HiveMq {
  static Mqtt5AsyncClient client;

  static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  static void subscribe(String[] topics) {
    var all =
        Arrays.stream(topics)
            .map(topic -> Mqtt5Subscription.builder().topicFilter(topic).qos(MqttQos.AT_LEAST_ONCE).build())
            .collect(Collectors.toList());
    client
        .subscribe(Mqtt5Subscribe.builder().addSubscriptions(all).build())
        .whenComplete((ack, error) -> say(error == null ? "up" : "log " + error));
  }

  public static void main(String[] args) throws Exception {
    var env = System.getenv();
    String[] topics = env.get("MQTT_SUBSCRIBE").split(" ");
    client =
        Mqtt5Client.builder()
            .identifier(env.get("MQTT_CLIENT_ID"))
            .serverHost(env.get("MQTT_HOST"))
            .serverPort(Integer.parseInt(env.get("MQTT_PORT")))
            // Not in connectWith(): its reconnection comes without what only stood there.
            .simpleAuth()
            .username(env.get("MQTT_USER"))
            .password(env.get("MQTT_PASSWORD").getBytes(StandardCharsets.UTF_8))
            .applySimpleAuth()
            .automaticReconnectWithDefaultConfig()
            .addConnectedListener(context -> subscribe(topics))
            .addDisconnectedListener(context -> say("down " + context.getCause()))
            .buildAsync();
    client.publishes(
        MqttGlobalPublishFilter.ALL,
        publish ->
            say("in " + publish.getTopic() + " " + new String(publish.getPayloadAsBytes(), StandardCharsets.UTF_8)));
    client
        .connectWith()
        .cleanStart(false)
        .sessionExpiryInterval(3600)
        .send();
    var lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = lines.readLine()) != null; ) {
      String[] words = line.split(" ", 3);
      client
          .publishWith()
          .topic(words[1])
          .qos(MqttQos.AT_LEAST_ONCE)
          .payload(words[2].getBytes(StandardCharsets.UTF_8))
          .send()
          .whenComplete((result, error) -> {
            if (error != null) say("log " + error);
          });
    }
    System.exit(0);
  }
}
