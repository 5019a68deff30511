// Uses the broker as a JavaScript program would, and prints what it saw as one JSON line.
import { ServiceBusClient } from "@azure/service-bus";
import Long from "long";

const client = new ServiceBusClient(process.argv[2], { retryOptions: { maxRetries: 0 } });
const saw = {};

const sender = client.createSender("js");
await sender.sendMessages([{ body: "one" }, { body: { two: 2 } }, { body: "three", messageId: "m3", subject: "s" }]);
const receiver = client.createReceiver("js");
const [one, two, three] = await receiver.receiveMessages(3, { maxWaitTimeInMs: 5000 });
saw.bodies = [one.body, two.body, three.body];
saw.madeUpId = typeof one.messageId === "string" && one.messageId.length > 0;
await receiver.completeMessage(one);
await receiver.abandonMessage(two);
const [again] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 5000 });
saw.deliveryCount = again.deliveryCount;
await receiver.renewMessageLock(again);
await receiver.deferMessage(again);
const [deferred] = await receiver.receiveDeferredMessages(again.sequenceNumber);
saw.deferred = deferred.body;
await receiver.completeMessage(deferred);
await receiver.deadLetterMessage(three, { deadLetterReason: "why", deadLetterErrorDescription: "because" });
const dead = client.createReceiver("js", { subQueueType: "deadLetter", receiveMode: "receiveAndDelete" });
const [buried] = await dead.receiveMessages(1, { maxWaitTimeInMs: 5000 });
saw.dead = [buried.messageId, buried.subject, buried.deadLetterReason, buried.deadLetterErrorDescription];
const [number] = await sender.scheduleMessages({ body: "later" }, new Date(Date.now() + 3_600_000));
saw.peeked = (await receiver.peekMessages(5, { fromSequenceNumber: Long.fromNumber(1) })).map((m) => [m.body, m.state]);
await sender.cancelScheduledMessages(number);

const lanes = client.createSender("js-lanes");
const batch = await lanes.createMessageBatch();
for (let n = 0; n < 3; n++) batch.tryAddMessage({ body: n, sessionId: "a" });
await lanes.sendMessages(batch);
const lane = await client.acceptNextSession("js-lanes", { maxAutoLockRenewalDurationInMs: 0 });
saw.session = lane.sessionId;
await lane.setSessionState(Buffer.from("state"));
saw.state = Buffer.from(await lane.getSessionState()).toString();
saw.renewed = (await lane.renewSessionLock()) > new Date();
saw.busy = await client.acceptSession("js-lanes", "a").then(() => "accepted", (error) => error.code);
const got = await lane.receiveMessages(3, { maxWaitTimeInMs: 5000 });
saw.order = got.map((message) => message.body);
for (const message of got) await lane.completeMessage(message);
await lane.close();

const wrong = new ServiceBusClient(process.argv[2].replace(/SharedAccessKey=[^;]*/, "SharedAccessKey=d3Jvbmc="), {
  retryOptions: { maxRetries: 0 },
});
saw.wrongKey = await wrong.createSender("js").sendMessages({ body: "" }).then(() => "sent", (error) => error.code ?? error.name);

await Promise.all([client.close(), wrong.close()]);
console.log(JSON.stringify(saw));
