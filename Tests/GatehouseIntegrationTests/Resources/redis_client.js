// Uses a Gatehouse server through node-redis as an application would. Argument: port. Ends with "all passed".
const assert = require("assert");
const { createClient } = require("redis");

const port = Number(process.argv[2]);
const open = async (options = {}) => {
  const client = createClient({ socket: { host: "127.0.0.1", port }, ...options });
  // Without a listener an error ends the process; commands reject by themselves.
  client.on("error", () => {});
  await client.connect();
  return client;
};
const mapping = (flat) =>
  Object.fromEntries(Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at], flat[2 * at + 1]]));

const main = async () => {
  const client = await open({ name: "tests" });
  const ask = (...words) => client.sendCommand(words);
  assert.strictEqual(await client.ping(), "PONG");
  assert.strictEqual(await client.echo("binary \r\n text"), "binary \r\n text");
  assert.strictEqual(await client.clientGetName(), "tests");
  // It reads the fields by their place.
  const about = await client.clientInfo();
  assert.ok(about.id > 0 && about.fd > 0 && about.addr.startsWith("127.0.0.1:"), about);
  assert.strictEqual(about.name, "tests");
  assert.match(await client.info("server"), /redis_version:7\./);
  assert.strictEqual((await client.configGet("maxclients")).maxclients, "10000");
  assert.strictEqual(await client.configSet("slowlog-max-len", "99"), "OK");
  const commands = await client.command();
  assert.ok(commands.some(({ name }) => name === "login.check"));
  assert.strictEqual((await client.commandInfo(["client|list"]))[0].name, "client|list");
  assert.strictEqual(await client.commandCount(), commands.length);

  await ask("PRODUCT.CREATE", "payroll");
  await ask("USER.CREATE", "ana", "PRODUCT", "payroll");
  await ask("USER.CREATE", "lou", "PRODUCT", "payroll", "STATUS", "locked");
  assert.strictEqual(await ask("LOGIN.CHECK", "ana", "payroll"), "ALLOW");
  assert.strictEqual(await ask("LOGIN.CHECK", "lou", "payroll"), "DENY status-locked");
  assert.match(await ask("IMPERSONATE.CAN", "ana", "lou"), /^DENY /);
  assert.strictEqual(await ask("SESSION.CHECK", "nothing"), null);
  const session = mapping(await ask("SESSION.CREATE", "ana", "payroll"));
  assert.strictEqual(mapping(await ask("SESSION.CHECK", session.session)).username, "ana");
  await assert.rejects(ask("USER.GET", "nobody"), /^(Error: |ReplyError: )?NOTFOUND/);

  // Commands of one moment go out together; a transaction is answered whole, or not carried out.
  const many = await Promise.all(Array.from({ length: 200 }, (_, number) => client.echo(String(number))));
  assert.deepStrictEqual(many, Array.from({ length: 200 }, (_, number) => String(number)));
  const replies = await client.multi().ping().addCommand(["TIMER.START", "ana"])
    .addCommand(["LOGIN.CHECK", "lou", "payroll"]).exec();
  assert.strictEqual(replies.length, 3);
  assert.strictEqual(replies[2], "DENY status-locked");
  await assert.rejects(client.multi().addCommand(["TIMER.STOP", "ana"]).addCommand(["FROBNICATE"]).exec());
  assert.notStrictEqual(await ask("TIMER.CURRENT", "ana"), null);
  await assert.rejects(client.watch("ana"), /WATCH is not supported/);

  // A connection that the server closes is made anew.
  const other = await open();
  assert.strictEqual(await other.sendCommand(["CLIENT", "KILL", "ID", String(await client.clientId())]), 1);
  assert.strictEqual(await client.ping().catch(() => client.ping()), "PONG");

  const { secret } = mapping(await ask("SERVICE.CREATE", "app", "ADMIN"));
  for (const credentials of [{ password: secret }, { username: "app", password: secret }]) {
    const named = await open(credentials);
    assert.strictEqual(await named.sendCommand(["LOGIN.CHECK", "lou", "payroll"]), "DENY status-locked");
    await named.quit();
  }
  // It tries again for ever; the reason is told to whoever listens.
  const stranger = createClient({ socket: { host: "127.0.0.1", port }, password: "wrong" });
  const reason = new Promise((resolve) => stranger.on("error", resolve));
  stranger.connect().catch(() => {});
  assert.match((await reason).message, /^WRONGPASS/);
  console.log("all passed");
};

// Open connections keep the process alive.
main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
