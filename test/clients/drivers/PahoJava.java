// Eclipse Paho Java (mqttv3), MQTT 3.1.1.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Arrays;
import org.eclipse.paho.client.mqttv3.*;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;

public class PahoJava {
  static synchronized void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  public static void main(String[] args) throws Exception {
    var env = System.getenv();
    String[] topics = env.get("MQTT_SUBSCRIBE").split(" ");
    int[] qos = new int[topics.length];
    Arrays.fill(qos, 1);
    String uri = "tcp://" + env.get("MQTT_HOST") + ":" + env.get("MQTT_PORT");
    var client = new MqttAsyncClient(uri, env.get("MQTT_CLIENT_ID"), new MemoryPersistence());
    client.setCallback(
        new MqttCallbackExtended() {
          public void connectComplete(boolean again, String server) {
            try {
              client.subscribe(
                  topics,
                  qos,
                  null,
                  new IMqttActionListener() {
                    public void onSuccess(IMqttToken token) {
                      say("up");
                    }

                    public void onFailure(IMqttToken token, Throwable error) {
                      say("log " + error);
                    }
                  });
            } catch (MqttException error) {
              say("log " + error);
            }
          }

          public void connectionLost(Throwable cause) {
            say("down");
          }

          public void messageArrived(String topic, MqttMessage message) {
            say("in " + topic + " " + message);
          }

          public void deliveryComplete(IMqttDeliveryToken token) {}
        });
    var buffer = new DisconnectedBufferOptions();
    buffer.setBufferEnabled(true);
    client.setBufferOpts(buffer);
    var options = new MqttConnectOptions();
    options.setCleanSession(false);
    options.setUserName(env.get("MQTT_USER"));
    options.setPassword(env.get("MQTT_PASSWORD").toCharArray());
    options.setAutomaticReconnect(true);
    options.setMaxReconnectDelay(10_000);
    options.setMaxInflight(100);
    // Its own reconnection begins after a first connection.
    for (boolean connected = false; !connected; ) {
      try {
        client.connect(options).waitForCompletion();
        connected = true;
      } catch (MqttException error) {
        say("log " + error);
        Thread.sleep(1_000);
      }
    }
    var lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = lines.readLine()) != null; ) {
      String[] words = line.split(" ", 3);
      try {
        client.publish(words[1], words[2].getBytes("UTF-8"), 1, false);
      } catch (MqttException error) {
        say("log " + error);
      }
    }
    System.exit(0);
  }
}
