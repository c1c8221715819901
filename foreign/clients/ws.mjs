// Talks to running gateways with the WebSocket client of the npm package ws.
//
//   node ws.mjs OPEN LOCKED TOKEN
//
// OPEN and LOCKED are the URLs of a gateway without and with a token. Each
// check prints one line of JSON: {"check": name, "error": text or null}.
import WebSocket from "ws";

const [open, locked, token] = process.argv.slice(2);
const patience = 20_000; // ms

function assert(holds, what, got) {
  if (!holds) throw new Error(got === undefined ? what : `${what}: ${JSON.stringify(got)}`);
}

// Client resolves a request on the first frame that bears its id, whatever the
// type, as clients in the wild do.
class Client {
  constructor(url, options) {
    this.socket = new WebSocket(url, options);
    this.requests = new Map();
    this.frames = []; // those no request waits for
    this.reader = null; // wants the next of them
    this.opened = new Promise((resolve, reject) => {
      this.socket.once("open", resolve);
      this.socket.once("error", reject);
    });
    this.closed = new Promise((resolve) => this.socket.once("close", resolve));
    this.socket.on("upgrade", (response) => (this.handshake = response.headers));
    this.socket.on("message", (data, binary) => this.receive(data, binary));
  }

  receive(data, binary) {
    assert(!binary, "a binary frame came");
    const frame = JSON.parse(data.toString());
    assert(frame.payload instanceof Object && !isNaN(Date.parse(frame.timestamp)), "a frame needs a payload and a timestamp", frame);
    const resolve = this.requests.get(frame.id);
    if (resolve) {
      this.requests.delete(frame.id);
      resolve(frame);
    } else if (this.reader) {
      this.reader(frame);
      this.reader = null;
    } else {
      this.frames.push(frame);
    }
  }

  next() {
    if (this.frames.length > 0) return Promise.resolve(this.frames.shift());
    return new Promise((resolve) => (this.reader = resolve));
  }

  send(message) {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  request(message) {
    const answer = new Promise((resolve) => this.requests.set(message.id, resolve));
    this.send(message);
    return answer;
  }

  async usable() {
    const answer = await this.request({ type: "status", id: "usable", payload: {} });
    assert(answer.type === "status", "no status comes", answer);
  }
}

async function connected(url, options) {
  const client = new Client(url, options);
  await client.opened;
  return client;
}

async function works(url, options) {
  const client = await connected(url, options);
  await client.usable();
  assert(client.frames.length === 0, "the gateway spoke unasked", client.frames);
  client.socket.close();
  const code = await client.closed;
  assert(code === 1000 || code === 1005, "closed with", code);
}

async function refused(url, options, wanted) {
  const client = await connected(url, options);
  const frame = await client.next();
  assert(frame.type === "error" && frame.payload.code === wanted, "the first frame is", frame);
  const code = await client.closed;
  assert(code === 1008, "closed with", code);
}

const checks = {
  "root path": () => works(open),
  "ws path": () => works(new URL("/ws", open)),
  "token in the URL": () => works(`${locked}/?token=${encodeURIComponent(token)}`),
  "token as a header": () => works(`${locked}/ws`, { headers: { Authorization: `Bearer ${token}` } }),
  "wrong token": () => refused(`${locked}/ws?token=wrong`, {}, "AUTH_INVALID"),
  "no token": () => refused(locked, {}, "AUTH_REQUIRED"),

  "web page": async () => {
    const error = await connected(open, { origin: "https://evil.example" }).then(
      () => null,
      (e) => e,
    );
    assert(error && error.message.includes("403"), "a foreign page connects", String(error));
  },

  "messages of the page": async () => {
    const client = await connected(open);
    client.send({ type: "status", payload: {} });
    client.send({ type: "heartbeat_trigger", payload: { dry_run: false } });
    const kinds = [(await client.next()).type, (await client.next()).type].sort();
    assert(String(kinds) === "heartbeat_status,status", "the answers are", kinds);
    const chat = await client.request({
      type: "chat",
      id: "msg-001",
      payload: { text: "What files are in my home directory?", context: {}, options: { model: "claude-opus-4-6", no_memory: false } },
    });
    assert(chat.type === "response" && chat.payload.text.includes("letter.txt"), "the chat is answered by", chat);
    assert(Array.isArray(chat.payload.tool_calls) && chat.payload.tokens_used > 0, "the chat is answered by", chat);
    const [call, result] = [await client.next(), await client.next()];
    assert(call.type === "tool_call" && call.payload.status === "executing" && !("id" in call), "the tool call is", call);
    assert(result.type === "tool_result" && result.payload.exit_code === 0 && !("id" in result), "the tool result is", result);
    client.send({ type: "skill_invoke", payload: { skill: "email-assistant", args: "check for urgent emails" } });
    let frame = await client.next();
    while (frame.type === "tool_call" || frame.type === "tool_result") frame = await client.next();
    assert(frame.type === "response" && frame.payload.text.includes("no urgent mail"), "the skill answers", frame);
  },

  "overlapping chats": async () => {
    const client = await connected(open);
    const ids = Array.from({ length: 30 }, (_, i) => `chat-${i}`);
    const answers = await Promise.all(
      ids.map((id, i) =>
        client.request({ type: "chat", id, payload: { text: `run: echo from-${id}-`, session_id: `ws-${i % 3}` } }),
      ),
    );
    for (const [i, answer] of answers.entries()) {
      assert(answer.type === "response" && answer.payload.text.includes(`from-${ids[i]}-`), `${ids[i]} is answered by`, answer);
    }
    await client.usable();
    const again = client.frames.filter((frame) => frame.id);
    assert(again.length === 0, "answers came twice", again);
  },

  "odd envelopes": async () => {
    const client = await connected(open);
    for (const message of [
      { type: "status", id: "a", timestamp: 1700000000 },
      { type: "status", id: "b", timestamp: 1700000000.123, payload: null, token: "x", v: 3 },
      { type: "status", id: "c", payload: { unknown: [1] }, timestamp: "yesterday" },
    ]) {
      const answer = await client.request(message);
      assert(answer.type === "status", `${message.id} is answered by`, answer);
    }
  },

  "other dialects": async () => {
    const client = await connected(open);
    for (const message of [
      '{"type":"req","method":"connect","params":{"minProtocol":3,"maxProtocol":3}}',
      '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}',
      '{"text":"hello"}',
      '[{"type":"status"}]',
      '"status"',
      "status",
      "",
      "{",
    ]) {
      client.send(message);
      const frame = await client.next();
      assert(frame.type === "error" && frame.payload.message.includes("OpenClaw gateway protocol"), `${message} is answered by`, frame);
    }
    await client.usable();
  },

  "large message": async () => {
    const client = await connected(open);
    client.send({ type: "chat", id: "large", payload: { text: "x".repeat(3 << 19) } });
    const frame = await client.next();
    assert(frame.type === "error" && frame.payload.code === "MESSAGE_TOO_LARGE", "the answer is", frame);
    const code = await client.closed;
    assert(code === 1009, "closed with", code);
  },

  "binary message": async () => {
    const client = await connected(open);
    client.socket.send(Buffer.from('{"type":"status"}'));
    const code = await client.closed;
    assert(code === 1003, "closed with", code);
  },

  ping: async () => {
    const client = await connected(open);
    const ponged = new Promise((resolve) => client.socket.once("pong", (data) => resolve(data.toString())));
    client.socket.ping("are you there?");
    assert((await ponged) === "are you there?", "the pong has another text");
    for (let i = 0; i < 2; i++) await new Promise((resolve) => client.socket.once("ping", resolve)); // the gateway's own
    await client.usable();
  },

  compression: async () => {
    const client = await connected(open, { perMessageDeflate: true });
    assert(client.socket.extensions === "", "negotiated", client.socket.extensions);
    assert(!("sec-websocket-extensions" in client.handshake), "the handshake has", client.handshake);
    await client.usable();
  },
};

for (const [check, run] of Object.entries(checks)) {
  const late = new Promise((_, reject) => setTimeout(reject, patience, new Error("no answer in time")).unref());
  const error = await Promise.race([run(), late]).then(
    () => null,
    (e) => e.message || String(e),
  );
  console.log(JSON.stringify({ check, error }));
}
process.exit(0); // connections may be open
