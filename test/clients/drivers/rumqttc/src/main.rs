// rumqttc, MQTT 3.1.1.
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS, SubscribeFilter};
use std::env::var;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::main]
async fn main() {
    let port = var("MQTT_PORT").unwrap().parse().unwrap();
    let mut options = MqttOptions::new(var("MQTT_CLIENT_ID").unwrap(), var("MQTT_HOST").unwrap(), port);
    options.set_credentials(var("MQTT_USER").unwrap(), var("MQTT_PASSWORD").unwrap());
    options.set_clean_session(false);
    options.set_keep_alive(Duration::from_secs(60));
    // Its default is 10 KiB, and what is larger ends the connection.
    options.set_max_packet_size(256 * 1024, 256 * 1024);
    let (client, mut events) = AsyncClient::new(options, 1000);
    let topics = var("MQTT_SUBSCRIBE").unwrap();
    let publisher = client.clone();
    tokio::spawn(async move {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let words: Vec<&str> = line.splitn(3, ' ').collect();
            if let Err(error) = publisher.try_publish(words[1], QoS::AtLeastOnce, false, words[2]) {
                println!("log {error}");
            }
        }
        std::process::exit(0);
    });
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                let filters = topics.split(' ').map(|topic| SubscribeFilter::new(topic.into(), QoS::AtLeastOnce));
                let _ = client.try_subscribe_many(filters);
            }
            Ok(Event::Incoming(Packet::SubAck(_))) => println!("up"),
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                println!("in {} {}", publish.topic, String::from_utf8_lossy(&publish.payload));
            }
            Ok(_) => {}
            Err(error) => {
                println!("down {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}
