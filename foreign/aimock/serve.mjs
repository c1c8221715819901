// Serves fixtures.json on a free port of the loopback interface, prints the
// address and ends when its input does, so that it cannot outlive its test.
import { readFileSync } from "node:fs";
import { LLMock } from "@copilotkit/aimock";

const fixtures = readFileSync(new URL("./fixtures.json", import.meta.url), "utf8");
const mock = new LLMock({ host: "127.0.0.1", port: 0, logLevel: "silent" });
mock.addFixturesFromJSON(JSON.parse(fixtures).fixtures);
await mock.start();
console.log(mock.url);
process.stdin.on("end", () => mock.stop().finally(() => process.exit(0)));
process.stdin.resume();
