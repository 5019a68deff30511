// Microsoft's JavaScript SDK against the sandbox's Cosmos endpoint: `node smoke.mjs ENDPOINT KEY`.
// Prints one JSON object with what it saw; the test compares.
import { CosmosClient, ChangeFeedStartFrom } from "@azure/cosmos";

const [endpoint, key] = process.argv.slice(2);
const client = new CosmosClient({ endpoint, key });
const { database } = await client.databases.createIfNotExists({ id: "js" });
const { container } = await database.containers.createIfNotExists({ id: "c", partitionKey: { paths: ["/pk"] } });
const seen = {};

const status = async (call) => {
  try {
    return (await call()).statusCode;
  } catch (error) {
    return error.code;
  }
};

seen.create = await status(() => container.items.create({ id: "1", pk: "a", n: 1, text: "blåbær" }));
seen.conflict = await status(() => container.items.create({ id: "1", pk: "a" }));
const { resource: item } = await container.item("1", "a").read();
seen.text = item.text;
seen.missing = await status(() => container.item("none", "a").read());
seen.replace = await status(() =>
  container.item("1", "a").replace({ ...item, n: 2 }, { accessCondition: { type: "IfMatch", condition: item._etag } }));
seen.stale = await status(() =>
  container.item("1", "a").replace({ ...item, n: 3 }, { accessCondition: { type: "IfMatch", condition: item._etag } }));
const patched = await container.item("1", "a").patch({
  condition: "from c where c.n = 2", operations: [{ op: "incr", path: "/n", value: 40 }] });
seen.patched = patched.resource.n;

const batch = await container.items.batch([
  { operationType: "Create", resourceBody: { id: "2", pk: "a", n: 5 } },
  { operationType: "Read", id: "1" }], "a");
seen.batch = batch.result.map((result) => result.statusCode);
const failed = await container.items.batch([
  { operationType: "Create", resourceBody: { id: "3", pk: "a" } },
  { operationType: "Create", resourceBody: { id: "1", pk: "a" } }], "a");
seen.failed = [failed.code, ...failed.result.map((result) => result.statusCode)];

for (let at = 10; at < 30; at++) await container.items.upsert({ id: `${at}`, pk: at % 2 ? "odd" : "even", n: at });
const all = async (query, options) => (await container.items.query(query, options).fetchAll()).resources;
seen.partition = (await all("SELECT * FROM c", { partitionKey: "odd" })).length;
seen.parameter = await all({
  query: "SELECT VALUE c.id FROM c WHERE c.n > @n AND c.n < 14", parameters: [{ name: "@n", value: 10 }] });
seen.ordered = await all("SELECT VALUE c.n FROM c WHERE c.n < 14 ORDER BY c.n DESC", { maxItemCount: 2 });
seen.count = await all("SELECT VALUE COUNT(1) FROM c");
seen.grouped = (await all("SELECT c.pk, COUNT(1) AS n FROM c GROUP BY c.pk")).map((row) => `${row.pk}${row.n}`).sort();
seen.distinct = (await all("SELECT DISTINCT VALUE c.pk FROM c")).sort();
seen.top = await all("SELECT TOP 2 VALUE c.n FROM c ORDER BY c.n DESC");

const pages = container.items.query("SELECT * FROM c", { maxItemCount: 8 });
seen.pages = [];
while (pages.hasMoreResults()) seen.pages.push((await pages.fetchNext()).resources?.length ?? 0);

const feed = container.items.getChangeFeedIterator({
  changeFeedStartFrom: ChangeFeedStartFrom.Beginning("even"), maxItemCount: 100 });
seen.changes = (await feed.readNext()).count;
seen.wrongKey = await status(() =>
  new CosmosClient({ endpoint, key: Buffer.from("wrong").toString("base64") }).databases.readAll().fetchAll());
seen.remove = await status(() => container.item("2", "a").delete());
console.log(JSON.stringify(seen));
