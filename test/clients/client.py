"""An MT5 Web API client from the protocol document alone, with Python's standard library: one connection, one sign-in."""
import hashlib
import http.client
import json
import os
import ssl
import sys
import time
from urllib.parse import urlencode

host, port = sys.argv[1], int(sys.argv[2])
connection = http.client.HTTPSConnection(host, port, context=ssl._create_unverified_context())


def ask(path, query=None, body=None):
    target = "/api/" + path + ("?" + urlencode(query) if query else "")
    headers = {"Connection": "keep-alive"}
    if body is None:
        connection.request("GET", target, headers=headers)
    else:
        connection.request("POST", target, body=json.dumps(body), headers={**headers, "Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read().decode("utf-8")
    return response.status, json.loads(text) if text.startswith("{") else {}


def answer(path, query=None, body=None):
    status, reply = ask(path, query, body)
    if not reply.get("retcode", "").startswith("0 "):
        raise SystemExit(f"{path}: {status} {reply}")
    return reply.get("answer", reply)


def md5(*parts):
    return hashlib.md5(b"".join(parts)).digest()


secret = md5(md5("Password1".encode("utf-16-le")), b"WebAPI")
start = answer("auth/start", {"version": 484, "agent": "python", "login": 1000, "type": "manager"})
mine = os.urandom(16)
proof = md5(secret, bytes.fromhex(start["srv_rand"])).hex()
finish = answer("auth/answer", {"srv_rand_answer": proof, "cli_rand": mine.hex()})
assert finish["cli_rand_answer"] == md5(secret, mine).hex(), "the server does not know the password"


def deal(request):
    request_id = answer("dealer/send_request", body=request)["id"]
    while True:
        events = answer("dealer/get_request_result", {"id": request_id})[request_id]
        final = [event["answer"] for event in events if "answer" in event]
        if final:
            return final[0]
        time.sleep(0.02)


tick = answer("tick/last", {"symbol": "EURUSD", "trans_id": 0})
order = {"Action": "200", "Login": "1001", "Symbol": "EURUSD", "Volume": "100", "TypeFill": "0", "Type": "0", "Digits": "5"}
opened = deal({**order, "PriceOrder": tick[0]["Ask"]})
closed = deal({**order, "Type": "1", "PriceOrder": tick[0]["Bid"], "Position": opened["Position"]})
client = answer("client/add", body={"PersonName": "Ада", "PersonLastName": "Python"})
before = answer("user/get", {"login": 1090})
updated = answer("user/update", body={"Login": "1090", "Comment": "python"})
group = answer("user/group", {"login": 1001})
total = answer("deal/get_total", {"login": 1001, "from": 0, "to": 4102444800})["total"]
print(json.dumps({
    "group": group.get("group") or group.get("Group"),
    "users": answer("user/total")["total"],
    "marginInitialBuy": answer("symbol/get", {"symbol": "EURUSD"})["MarginInitialBuy"],
    "opened": opened["ResultRetcode"].split(" ")[0],
    "closed": closed["ResultRetcode"].split(" ")[0],
    "client": answer("client/get", {"id": client["RecordID"]})[0]["PersonName"],
    "kept": updated["Name"] == before["Name"] and updated["Comment"] == "python",
    "all": len(answer("deal/get_page", {"login": 1001, "from": 0, "to": 4102444800, "offset": 0, "total": 0})) == int(total),
    "unknown": ask("none/such")[0],
}, ensure_ascii=False))
answer("quit")
