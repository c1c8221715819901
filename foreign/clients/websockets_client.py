"""Talks to running gateways with the Python package websockets.

    python3 websockets_client.py OPEN LOCKED TOKEN

OPEN and LOCKED are the URLs of a gateway without and with a token. Each check
prints one line of JSON: {"check": name, "error": text or null}.
"""

import asyncio
import inspect
import json
import sys
import urllib.parse

import websockets

OPEN, LOCKED, TOKEN = sys.argv[1:]
PATIENCE = 20  # seconds

# The package renamed some things over time.
PARAMETERS = inspect.signature(websockets.connect.__init__).parameters
HEADERS = "additional_headers" if "additional_headers" in PARAMETERS else "extra_headers"


def want(holds, what, got):
    if not holds:
        raise AssertionError(f"{what}: {got!r}")


def headers_of(socket, side):
    """Return the headers of the handshake's request or response."""
    if hasattr(socket, side + "_headers"):
        return getattr(socket, side + "_headers")
    return getattr(socket, side).headers


def connect(url, headers=None, **options):
    if headers:
        options[HEADERS] = headers
    return websockets.connect(url, max_size=None, **options)


async def receive(socket):
    text = await socket.recv()
    want(isinstance(text, str), "a binary frame came", text)
    frame = json.loads(text)
    want(isinstance(frame["payload"], dict) and frame["timestamp"].endswith("Z"), "the frame is", frame)
    return frame


async def request(socket, message):
    """Send a message and return the first frame that bears its id."""
    await socket.send(json.dumps(message))
    while True:
        frame = await receive(socket)
        if frame.get("id") == message["id"]:
            return frame


async def usable(socket):
    frame = await request(socket, {"type": "status", "id": "usable", "payload": {}})
    want(frame["type"] == "status", "no status comes", frame)


async def close_code(socket):
    try:
        while True:
            await receive(socket)
    except websockets.exceptions.ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


async def works(url, headers=None):
    async with connect(url, headers) as socket:
        await socket.send('{"type":"status","id":"first"}')
        frame = await receive(socket)
        want(frame.get("id") == "first", "the gateway spoke unasked", frame)


async def refused(url, code):
    async with connect(url) as socket:
        frame = await receive(socket)
        want(frame["type"] == "error" and frame["payload"]["code"] == code, "the first frame is", frame)
        closed = await close_code(socket)
        want(closed == 1008, "closed with", closed)


async def web_page():
    try:
        async with connect(OPEN, origin="https://evil.example"):
            pass
    except websockets.exceptions.InvalidHandshake as error:
        want("403" in str(error), "the refusal is", error)
        return
    raise AssertionError("a foreign page connects")


async def page():
    async with connect(OPEN) as socket:
        await socket.send('{"type":"status","payload":{}}')
        await socket.send('{"type":"heartbeat_trigger","payload":{"dry_run":false}}')
        kinds = sorted([(await receive(socket))["type"], (await receive(socket))["type"]])
        want(kinds == ["heartbeat_status", "status"], "the answers are", kinds)
        chat = await request(socket, {
            "type": "chat",
            "id": "msg-001",
            "payload": {
                "text": "What files are in my home directory?",
                "context": {},
                "options": {"model": "claude-opus-4-6", "no_memory": False},
            },
        })
        payload = chat["payload"]
        want(chat["type"] == "response" and "letter.txt" in payload["text"], "the chat is answered by", chat)
        want(isinstance(payload["tool_calls"], list) and payload["tokens_used"] > 0, "the chat is answered by", chat)
        await socket.send(json.dumps({
            "type": "skill_invoke",
            "payload": {"skill": "email-assistant", "args": "check for urgent emails"},
        }))
        frame = await receive(socket)
        while frame["type"] in ("tool_call", "tool_result"):
            want("id" not in frame, "a frame on the way has an id", frame)
            frame = await receive(socket)
        want(frame["type"] == "response" and "no urgent mail" in frame["payload"]["text"], "the skill answers", frame)


async def overlapping():
    async with connect(OPEN) as socket:
        waiting = {f"chat-{i}" for i in range(30)}
        for i, name in enumerate(sorted(waiting)):
            await socket.send(json.dumps({
                "type": "chat", "id": name,
                "payload": {"text": f"run: echo from-{name}-", "context": {"session": f"python-{i % 3}"}},
            }))
        while waiting:
            frame = await receive(socket)
            if "id" not in frame:
                continue
            want(frame["id"] in waiting, "an answer too many is", frame)
            want(f"from-{frame['id']}-" in frame["payload"].get("text", ""), "an answer is", frame)
            waiting.remove(frame["id"])
        await usable(socket)


async def odd_envelopes():
    async with connect(OPEN) as socket:
        for message in (
            {"type": "status", "id": "a", "timestamp": 1700000000},
            {"type": "status", "id": "b", "timestamp": 1700000000.123, "payload": None, "token": "x", "v": 3},
            {"type": "status", "id": "c", "payload": {"unknown": [1]}, "timestamp": "yesterday"},
        ):
            frame = await request(socket, message)
            want(frame["type"] == "status", "the answer is", frame)


async def other_dialects():
    async with connect(OPEN) as socket:
        for message in (
            '{"type":"req","method":"connect","params":{"minProtocol":3,"maxProtocol":3}}',
            '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}',
            '{"text":"hello"}',
            '[{"type":"status"}]',
            '"status"',
            "status",
            "",
            "{",
        ):
            await socket.send(message)
            frame = await receive(socket)
            want(frame["type"] == "error" and "OpenClaw gateway protocol" in frame["payload"]["message"],
                 f"{message} is answered by", frame)
        await usable(socket)


async def large_message():
    async with connect(OPEN) as socket:
        await socket.send(json.dumps({"type": "chat", "id": "large", "payload": {"text": "x" * (3 << 19)}}))
        frame = await receive(socket)
        want(frame["payload"].get("code") == "MESSAGE_TOO_LARGE", "the answer is", frame)
        closed = await close_code(socket)
        want(closed == 1009, "closed with", closed)


async def binary_message():
    async with connect(OPEN) as socket:
        await socket.send(b'{"type":"status"}')
        closed = await close_code(socket)
        want(closed == 1003, "closed with", closed)


async def ping():
    async with connect(OPEN) as socket:
        await (await socket.ping("are you there?"))
        await usable(socket)


async def compression():
    async with connect(OPEN) as socket:
        name = "Sec-WebSocket-Extensions"
        want("permessage-deflate" in headers_of(socket, "request").get(name, ""), "compression is not offered", None)
        want(name not in headers_of(socket, "response"), "negotiated", headers_of(socket, "response").get(name))
        await usable(socket)


CHECKS = {
    "root path": lambda: works(OPEN),
    "ws path": lambda: works(OPEN + "/ws"),
    "token in the URL": lambda: works(LOCKED + "/?token=" + urllib.parse.quote(TOKEN, safe="")),
    "token as a header": lambda: works(LOCKED + "/ws", {"Authorization": "Bearer " + TOKEN}),
    "wrong token": lambda: refused(LOCKED + "/ws?token=wrong", "AUTH_INVALID"),
    "no token": lambda: refused(LOCKED, "AUTH_REQUIRED"),
    "web page": web_page,
    "messages of the page": page,
    "overlapping chats": overlapping,
    "odd envelopes": odd_envelopes,
    "other dialects": other_dialects,
    "large message": large_message,
    "binary message": binary_message,
    "ping": ping,
    "compression": compression,
}


async def main():
    for name, check in CHECKS.items():
        error = None
        try:
            await asyncio.wait_for(check(), PATIENCE)
        except Exception as e:  # whatever it is, it fails this check and no other
            error = f"{type(e).__name__}: {e}"
        print(json.dumps({"check": name, "error": error}), flush=True)


asyncio.run(main())
