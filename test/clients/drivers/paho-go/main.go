// Eclipse Paho Go (paho.mqtt.golang), MQTT 3.1.1.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

func main() {
	topics := map[string]byte{}
	for _, topic := range strings.Fields(os.Getenv("MQTT_SUBSCRIBE")) {
		topics[topic] = 1
	}
	options := mqtt.NewClientOptions().
		AddBroker(fmt.Sprintf("tcp://%s:%s", os.Getenv("MQTT_HOST"), os.Getenv("MQTT_PORT"))).
		SetClientID(os.Getenv("MQTT_CLIENT_ID")).
		SetUsername(os.Getenv("MQTT_USER")).
		SetPassword(os.Getenv("MQTT_PASSWORD")).
		SetCleanSession(false).
		SetConnectRetry(true).
		SetConnectRetryInterval(time.Second).
		SetMaxReconnectInterval(10 * time.Second).
		SetDefaultPublishHandler(func(_ mqtt.Client, message mqtt.Message) {
			fmt.Println("in", message.Topic(), string(message.Payload()))
		}).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { fmt.Println("down", err) }).
		SetOnConnectHandler(func(client mqtt.Client) {
			token := client.SubscribeMultiple(topics, nil)
			go func() {
				token.Wait()
				if token.Error() == nil {
					fmt.Println("up")
				}
			}()
		})
	client := mqtt.NewClient(options)
	client.Connect()
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		words := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		client.Publish(words[1], 1, false, words[2])
	}
}
