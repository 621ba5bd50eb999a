"""Registration, login, sessions."""
from bert import Atom
import bert
from chat import CODE, Device, Person, next_phone
from http_json import http
from records import make, muc

OK_SMS = (Atom("ok"), Atom("sms_sent"))


def error(word):
    return (Atom("error"), Atom(word))


def registration():
    """a phone is registered by its code, in the records of the documents"""
    phone = next_phone()
    new = Device(f"reg_{phone}").connect()
    new.send("Auth", client_id=new.client_id, phone=phone, type="reg")
    assert new.code() == OK_SMS
    new.send("Auth", client_id=new.client_id, type="resend")
    assert new.code() == OK_SMS
    new.send("Auth", client_id=new.client_id, services=[Atom("ua")], type="voice")
    assert new.code() == (Atom("ok"), Atom("call_in_progress"))
    new.send("Auth", client_id=new.client_id, sms_code="000000", type="verify")
    assert new.code() == error("invalid_sms_code")
    new.send("Auth", client_id=new.client_id, sms_code=CODE, type="verify")
    ok, login, (client_id, token) = new.code()
    assert (ok, login) == ("ok2", "login") and client_id.startswith("emqttd_")
    new.leave()
    device = Device(client_id, token).connect()
    profile = device.record("Profile", status="init", since=0)
    [roster] = profile["rosters"]
    assert (profile["phone"], roster["id"], roster["phone"]) == (phone, 1, phone)
    [oneself] = roster["userlist"]
    assert oneself["phone_id"] == f"{phone}_1"
    device.leave()


def late_registration():
    """the same in the later records: verify names phone and device key, and the greeting is of that set"""
    person = Person("late")
    profile = person.device.record("Profile", status="init", since=0)
    [oneself] = profile["rosters"][0]["userlist"]
    assert (oneself["phone_id"], oneself["presence"], oneself["status"]) == (person.id, "online", "friend")
    person.device.leave()


def attempts():
    """after five wrong codes no sixth is looked at"""
    phone = next_phone()
    new = Device(f"reg_{phone}").connect()
    new.send("Auth", client_id=new.client_id, phone=phone, type="reg")
    assert new.code() == OK_SMS
    for _ in range(5):
        new.send("Auth", sms_code="999999", type="verify")
        assert new.code() == error("invalid_sms_code")
    new.send("Auth", sms_code=CODE, type="verify")
    assert new.code() == error("attempts_expired")
    new.leave()


def wrong_sessions():
    """who asked for no code, or says another phone, is told so; a number that is none is not allowed"""
    phone, other = next_phone(), next_phone()
    new = Device(f"reg_{phone}").connect()
    new.send("Auth", sms_code=CODE, type="verify")
    assert new.code() == error("session_not_found")
    new.send("Auth", type="resend")
    assert new.code() == error("session_not_found")
    new.send("Auth", phone="12", type="reg")
    assert new.code() == error("number_not_allowed")
    new.send("Auth", phone=phone, dev_key="k", type="reg")
    assert new.code() == OK_SMS
    new.send("Auth", phone=other, dev_key="k", sms_code=CODE, type="verify")
    assert new.code() == error("mismatch_user_data")
    new.leave()


def nobody():
    """who is registering may do nothing else, and hears nothing"""
    person = Person()
    new = Device("reg_nobody").connect()
    for name, fields in [
        ("Profile", {"phone": person.phone, "status": "get"}),
        ("Roster", {"id": 1, "status": "get"}),
        ("Message", {"feed_id": muc("lobby"), "from_": person.id, "to": "lobby", "files": []}),
        ("Auth", {"type": "list"}),
        ("Auth", {"type": "logout"}),
    ]:
        new.send(name, **fields)
        assert new.code() == error("not_authorized"), (name, new.code())
    new.leave()
    person.device.leave()


def bad_packets():
    """what is no record is answered invalid_data, and the connection goes on"""
    person = Person()
    device = person.device
    for payload in [b"", b"\x83", b"hello", b"{", bert.encode(5), bert.encode((Atom("Message"), 1, 2))]:
        device.at = len(device.heard)
        device.publish(payload)
        assert device.code() == error("invalid_data")
    device.send("Roster", id=1, status="get")
    device.record("Roster", status="get")
    device.leave()


def push_tokens():
    """a push token is registered for the session by its system; one that is none is refused, an empty one takes it back"""
    person = Person()
    device = person.device
    registered = lambda: [
        (one["kind"], one["appId"], one["clientId"])
        for one in http("GET", "/push/tokens", None, device.password)["tokens"]
    ]
    device.send("Auth", push=f"{person.phone}:" + "f" * 40, os="android", type="push")
    assert device.io()["code"] == ""
    assert registered() == [("fcm", "com.example.chat", device.client_id)], registered()
    device.send("Auth", push=f"{int(person.phone):064x}", os="ios", type="push")
    assert device.io()["code"] == ""
    assert sorted(kind for kind, _, _ in registered()) == ["apns", "fcm"]
    device.at = len(device.heard)
    device.send("Auth", push="push-token", os="ios", type="push")
    assert device.code() == error("mismatch_user_data")
    assert len(registered()) == 2
    device.send("Auth", push="", os="ios", type="push")
    assert device.io()["code"] == ""
    assert registered() == []
    device.leave()


def sessions():
    """a phone's sessions are listed, a push token is taken, and logout ends one for good"""
    person = Person()
    second = person.another()
    token = f"{int(person.phone):064x}"
    second.send("Auth", push=token, os="ios", type="push")
    assert second.io()["code"] == ""
    assert len(http("GET", "/push/tokens", None, second.password)["tokens"]) == 1
    second.send("Auth", type="list")
    second.record("Auth", client_id=person.client_id)
    own = second.record("Auth", client_id=second.client_id)
    assert (own["push"], own["os"], own["phone"]) == (token, "ios", person.phone)
    second.send("Auth", dev_key=person.key, user_id=person.phone, token=second.password, type="logout")
    answer = second.io()
    assert answer["code"] == (Atom("ok"), Atom("logout"))
    assert answer["data"] == (Atom("Auth"), second.password)
    second._until(lambda: second.state.startswith("disconnected"), "the end of the session")
    second._until(lambda: not http("GET", "/push/tokens", None, person.device.password)["tokens"], "the end of its token")
    second.leave()
    try:
        Device(second.client_id, second.password).connect()
    except AssertionError as refused:
        assert "not connected" in str(refused)
    else:
        raise AssertionError("a session that was ended came in")
    person.device.leave()


def web_client():
    """a web client sends {init, Token} first, on a topic with its page, and is answered on its own"""
    person = Person()
    client_id, token = person.register()
    page = Device(client_id, token, username="chat").connect()
    page.record("Profile", f"actions/1/chat/{client_id}", status="init", since=0)
    page.publish(bert.encode((Atom("init"), token)), f"events/1/3/chat/anon/{client_id}/{token}")
    page.publish(bert.encode(make("v1", "Roster", id=1, status="get")), f"events/1/2/chat/anon/{client_id}/{token}")
    page.record("Roster", f"actions/1/chat/{client_id}", status="get")
    page.leave()
    person.device.leave()


def json_form():
    """who writes JSON is answered in JSON"""
    person = Person()
    device = person.device
    device.at = len(device.heard)
    device.publish(b'{"tup":"Roster","id":1,"status":"get"}')
    found = device.expect("a Roster in JSON", lambda _topic, one: isinstance(one, dict) and one.get("tup") == "Roster")
    assert found[1]["phone"] == person.phone and found[1]["userlist"][0]["tup"] == "Contact"
    device.leave()


FLOWS = [registration, late_registration, attempts, wrong_sessions, nobody, bad_packets, push_tokens, sessions, web_client, json_form]
