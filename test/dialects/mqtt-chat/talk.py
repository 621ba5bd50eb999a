"""Messages between users: texts, other contents, receipts, several devices, devices that were away."""
import json
import time

from http_api import Account, p2p
from mqtt_chat import LONG, Device, eventually


def pair(name, **options):
    ada, bob = Account(name("ada")), Account(name("bob"))
    return ada, bob, Device(ada.uid, **options).connect(), Device(bob.uid, **options).connect()


def short_topics(name):
    _, _, ada, bob = pair(name)
    number = ada.send(bob.uid, "hello Привіт 👋")
    packet = bob.wait_text("hello Привіт 👋")
    assert {key: packet[key] for key in "misc"} == {"m": "hello Привіт 👋", "i": number, "s": ada.uid, "c": "TEXT"}, packet
    assert packet["d"] is True, packet
    bob.send(ada.uid, "and you?")
    assert ada.wait_text("and you?")["s"] == bob.uid


def long_topics(name):
    """The page's names, and its two topics to send on; each device gets what it subscribed."""
    _, _, ada, bob = pair(name, names=LONG)
    ada.send(bob.uid, "in full")
    ada.publish(f"{bob.uid}/message", {"m": "by the alias", "i": "a1", "s": ada.uid, "c": "TEXT", "d": False})
    assert bob.wait_text("in full")["s"] == ada.uid
    bob.wait_text("by the alias")
    short = Device(name("carol"))
    Account(short.uid)
    short.connect()
    short.send(bob.uid, "short to long")
    bob.wait_text("short to long")
    bob.send(short.uid, "long to short")
    short.wait_text("long to short")
    heard = {topic for topic, _ in bob.heard}
    assert heard == {bob.topic(bob.uid, "messages")}, heard


def sender_is_who_it_is(name):
    """Whatever `s` says, and whatever another device subscribes."""
    _, _, ada, bob = pair(name)
    eve = Device(name("eve"))
    Account(eve.uid)
    eve.connect()
    for topic in (f"{bob.uid}/o/+", f"{ada.uid}/#", "#", "+/o/m"):
        eve.subscribe(topic)
    eve.send(bob.uid, "I am ada", s=ada.uid)
    assert bob.wait_text("I am ada")["s"] == eve.uid
    ada.send(bob.uid, "a secret")
    bob.wait_text("a secret")
    ada.send(eve.uid, "the last one")
    eve.wait_text("the last one")
    assert not any("a secret" in payload for _, payload in eve.heard), eve.heard


def contents(name):
    ada_account, bob_account, ada, bob = pair(name)
    sent = {
        "MAP": json.dumps({"Lat": 50.45, "Long": 30.5}),
        "CONTACT": json.dumps({"name": "Bob", "phoneNumber": "380670000002"}),
        "IMAGE": json.dumps({"contentUploaded": False, "name": "pic1", "type": "image", "path": "/sdcard/1.png"}),
        "QAR": json.dumps({"qar": [{"h": "http://x/h.png", "t": "Title"}], "m": "more"}),
        "NOTIFICATION": "Ada joined",
        "FILE": "http://x/a.pdf",
    }
    for kind, text in sent.items():
        ada.send(bob.uid, text, c=kind)
        packet = bob.wait_text(text)
        assert packet["c"] == kind, packet
    kinds = [one["content"]["type"] for one in bob_account.messages(p2p(ada.uid, bob.uid))]
    assert kinds == ["location", "contact", "image", "x-mqtt-chat.qar", "text", "file"], kinds
    place = {"type": "location", "latitude": 1.5, "longitude": 2.5}
    ada_account.send(f"user/{bob.uid}", place)
    packet = bob.wait("messages", where=lambda one: one["c"] == "MAP")
    assert json.loads(packet["m"])["Lat"] == 1.5, packet
    first = ada_account.send(f"user/{bob.uid}", {"type": "text", "data": "helo"})
    ada_account.send(f"user/{bob.uid}", {"type": "edit", "seq": first["seq"], "data": "hello"})
    ada_account.send(f"user/{bob.uid}", {"type": "reaction", "seq": first["seq"], "data": "👍"})
    ada_account.send(f"user/{bob.uid}", {"type": "recall", "seq": first["seq"]})
    bob.wait_text("helo")
    bob.wait_text("✎ hello")
    bob.wait("messages", where=lambda one: one["m"].startswith("👍 to: "))
    bob.wait_text("message removed")


def numbers_as_ids(name):
    """The Node SDK gives a message the number of its packet, which comes again."""
    _, bob_account, ada, bob = pair(name)
    for text in ("one", "two", "two"):
        ada.publish(f"{bob.uid}/o/m", {"m": text, "i": 37674, "s": ada.uid, "c": "TEXT", "d": True})
    numbers = [bob.wait_text(text)["i"] for text in ("one", "two", "two")]
    assert len(set(numbers)) == 3 and all(isinstance(one, str) for one in numbers), numbers
    texts = [one["content"]["data"] for one in bob_account.messages(p2p(ada.uid, bob.uid))]
    assert texts == ["one", "two", "two"], texts
    bob.publish(f"{ada.uid}/o/d", numbers[0])
    assert ada.wait("receipts") == "37674"


def same_id_twice(name):
    _, bob_account, ada, bob = pair(name)
    for _ in range(3):
        ada.send(bob.uid, "once", i="the-same")
    ada.send(bob.uid, "last")
    bob.wait_text("last")
    texts = [one["content"]["data"] for one in bob_account.messages(p2p(ada.uid, bob.uid))]
    assert texts == ["once", "last"], texts


def refusals(name):
    """What cannot be done is said by `parley`, and nothing closes."""
    _, _, ada, bob = pair(name)
    ada.send(name("nobody"), "are you there?")
    ada.publish(f"{bob.uid}/o/m", "{\"m\": \"cut")
    ada.publish(f"{bob.uid}/o/m", {"i": "x", "s": ada.uid})
    ada.publish(f"{bob.uid}/o/mb", "nobody takes it")
    words = [ada.wait("messages", where=lambda one: one["s"] == "parley")["m"] for _ in range(4)]
    assert any("no user or group" in one for one in words), words
    assert any("JSON" in one for one in words), words
    assert any("m is missing" in one for one in words), words
    ada.publish(f"{bob.uid}/o/m", "Zm9yIG15IG93biBwcm9ncmFt\n")
    assert bob.wait_text("Zm9yIG15IG93biBwcm9ncmFt\n")["c"] == "TEXT"


def too_large(name):
    """MQTT 3.1.1 confirms it: `parley` says that it went nowhere."""
    _, _, ada, bob = pair(name)
    ada.send(bob.uid, "x" * 200_000)
    said = ada.wait("messages", where=lambda one: one["s"] == "parley")["m"]
    assert said.startswith("not sent") and "bytes" in said, said
    ada.send(bob.uid, "short")
    bob.wait_text("short")


def receipts(name):
    ada_account, _, ada, bob = pair(name)
    number = ada.send(bob.uid, "did it come?")
    got = bob.wait_text("did it come?")["i"]
    bob.publish(bob.topic(ada.uid, "receipts"), got)
    assert ada.wait("receipts") == number
    marks = ada_account.receipts(p2p(ada.uid, bob.uid), 1)
    assert (marks["delivered"], marks["read"]) == (1, 0), marks
    phone = Device(bob.uid, f"{bob.uid}/phone").connect()
    quiet = ada.send(bob.uid, "no receipt, please", d=False)
    other = phone.wait_text("no receipt, please")["i"]
    bob.wait_text("no receipt, please")
    bob.publish(bob.topic(bob.uid, "receipts"), other)
    assert phone.wait("receipts", where=lambda one: one == quiet) == quiet
    eventually(
        lambda: ada_account.receipts(p2p(ada.uid, bob.uid), 2)["read"] == 1,
        lambda: f"seen, and not read: {ada_account.receipts(p2p(ada.uid, bob.uid), 2)}",
    )
    assert quiet not in [payload for topic, payload in ada.heard if topic.endswith("/o/d")], ada.heard


def receipts_after_a_while(name):
    """Of a device that was away in between, and of one whose server is another by then."""
    _, _, ada, bob = pair(name, names=LONG)
    number = ada.send(bob.uid, "one")
    bob.wait_text("one")
    bob.leave()
    bob.connect()
    bob.publish(bob.topic(ada.uid, "receipts"), number)
    assert ada.wait("receipts") == number


def several_devices(name):
    ada_account, _, ada, bob = pair(name)
    web = Device(ada.uid, f"{ada.uid}/web").connect()
    number = ada.send(bob.uid, "from the phone")
    copy = web.wait_text("from the phone")
    assert (copy["s"], copy["r"], copy["i"], copy["d"]) == (ada.uid, bob.uid, number, False), copy
    bob.send(ada.uid, "to both")
    ada.wait_text("to both")
    web.wait_text("to both")
    assert "from the phone" not in ada.texts(), ada.heard
    ada_account.send(f"user/{bob.uid}", {"type": "text", "data": "by HTTP"})
    assert ada.wait_text("by HTTP")["r"] == bob.uid
    ada.send(ada.uid, "a note to me")
    web.wait_text("a note to me")
    ada.wait_text("a note to me")


def away(name):
    """A persistent session: what came meanwhile comes when the device is back, each once and in order."""
    ada_account, _, ada, bob = pair(name)
    ada.send(bob.uid, "before")
    bob.wait_text("before")
    for way in (bob.leave, bob.lose):
        way()
        texts = [f"{way.__name__} {number}" for number in range(20)]
        for text in texts:
            ada.send(bob.uid, text)
        # What the broker has confirmed may be stored behind what comes by HTTP.
        stored = lambda: [one["content"]["data"] for one in ada_account.messages(p2p(ada.uid, bob.uid))]
        eventually(lambda: texts[-1] in stored(), lambda: f"not stored: {stored()}")
        ada_account.send(f"user/{bob.uid}", {"type": "text", "data": f"{way.__name__} last"})
        bob.connect()
        bob.wait_text(f"{way.__name__} last")
        heard = [one for one in bob.texts() if one.startswith(way.__name__)]
        assert heard == [*texts, f"{way.__name__} last"], heard
    assert bob.texts().count("before") == 1


def no_storage(name):
    """A program that keeps nothing is shown the last messages, and asks for the rest."""
    ada_account, _, ada, bob = pair(name)
    for number in range(30):
        ada.send(bob.uid, f"text {number}")
    bob.wait_text("text 29")
    fresh = Device(bob.uid, f"{bob.uid}~fresh", clean=True).connect()
    fresh.wait_text("text 29")
    shown = fresh.texts()
    assert shown == [f"text {number}" for number in range(10, 30)], shown
    ask_natively(fresh, "history.get", {"conv": p2p(ada.uid, bob.uid), "limit": 50})
    answer = fresh.wait("", alias=f"im/dn/{bob.uid}/d/{fresh.client_id}", where=lambda one: one.get("id") == "7")
    assert len(answer["result"]["messages"]) == 30, answer


def ask_natively(device, method, params):
    """Native topics are open to every program: `docs/protocol.md` has them."""
    device.subscribe(f"im/dn/{device.uid}/d/{device.client_id}")
    device.publish(f"{device.native}/rpc", {"id": "7", "method": method, "params": params})


def calls(name):
    _, _, ada, bob = pair(name)
    offer = {"i": "call-1", "m": "offer", "s": ada.uid, "c": "CALL", "t": int(time.time() * 1000)}
    ada.publish(f"{bob.uid}/o/l", offer)
    got = bob.wait("", alias=f"{bob.uid}/o/l")
    assert got == offer, got
    for said in ("ringing", "answer", "bye"):
        bob.publish(f"{ada.uid}/o/l", {**offer, "m": said, "s": bob.uid})
        assert ada.wait("", alias=f"{ada.uid}/o/l")["m"] == said


def a_bot(name):
    """As the Node SDK: one filter at QoS 0, numbers as ids, an echo for each message."""
    Account(name("bot"))
    _, _, ada, _ = pair(name)
    bot = Device(name("bot"), subscribe=False).connect()
    bot.subscribe(f"{bot.uid}/o/m", 0)
    for number in range(5):
        sent = ada.send(bot.uid, f"echo {number}")
        packet = bot.wait_text(f"echo {number}")
        bot.publish(f"{packet['s']}/o/d", packet["i"])
        answer = {"m": packet["m"], "i": 7, "s": bot.uid, "c": packet["c"], "d": True}
        bot.publish(f"{packet['s']}/o/m", answer)
        assert ada.wait("receipts") == sent
        assert ada.wait_text(f"echo {number}")["s"] == bot.uid
