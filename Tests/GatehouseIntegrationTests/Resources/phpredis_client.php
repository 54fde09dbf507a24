<?php
// Uses a Gatehouse server through phpredis as an application would. Argument: port. Ends with "all passed".

function expect(bool $condition, $seen = null): void
{
    if (!$condition) {
        throw new Exception("expected something else than " . var_export($seen, true));
    }
}

function mapping(array $flat): array
{
    $map = [];
    for ($index = 0; $index < count($flat); $index += 2) {
        $map[$flat[$index]] = $flat[$index + 1];
    }
    return $map;
}

$port = (int) $argv[1];
$client = new Redis();
$client->connect("127.0.0.1", $port);
expect($client->ping() === true);
expect($client->echo("binary \r\n text") === "binary \r\n text");
expect($client->client("setname", "tests") === true);
expect($client->client("getname") === "tests");
$clients = $client->client("list");
expect($clients[0]["name"] === "tests" && $clients[0]["cmd"] === "client|list", $clients);
expect(str_starts_with($client->info("server")["redis_version"], "7."));
expect($client->config("GET", "maxclients") === ["maxclients" => "10000"]);
expect($client->config("SET", "slowlog-max-len", "99") === true);
expect($client->dbSize() === 0);
expect(is_int($client->slowlog("len")));

// Every simple string is true here, and true == "ALLOW". Nobody is let in by that.
expect($client->rawCommand("PRODUCT.CREATE", "payroll") !== false);
foreach (["ana" => "active", "lou" => "locked", "pat" => "pending", "ina" => "inactive"] as $user => $status) {
    $client->rawCommand("USER.CREATE", $user, "PRODUCT", "payroll", "STATUS", $status);
}
$client->rawCommand("USER.CREATE", "tom", "ROLE", "super-administrator");
expect($client->rawCommand("LOGIN.CHECK", "ana", "payroll") === "ALLOW");
$denied = [
    ["LOGIN.CHECK", "lou", "payroll"], ["LOGIN.CHECK", "pat", "payroll"], ["LOGIN.CHECK", "ina", "payroll"],
    ["LOGIN.CHECK", "nobody", "payroll"], ["LOGIN.CHECK", "ana", "nothing"], ["LOGIN.CHECK", "tom", "payroll"],
    ["IMPERSONATE.CAN", "ana", "lou"], ["IMPERSONATE.CAN", "ana", "tom"],
];
foreach ($denied as $words) {
    $answer = $client->rawCommand(...$words);
    expect(is_string($answer) && str_starts_with($answer, "DENY "), $answer);
    expect($answer != "ALLOW" && $answer !== true, $answer);
}
expect($client->rawCommand("SESSION.CHECK", "nothing") !== true);
$session = mapping($client->rawCommand("SESSION.CREATE", "ana", "payroll"));
$seen = mapping($client->rawCommand("SESSION.CHECK", $session["session"]));
expect($seen["username"] === "ana" && $seen["kind"] === "login", $seen);

// A refusal is an exception, or for a code that phpredis knows false.
try {
    expect($client->rawCommand("USER.GET", "nobody") === false);
    expect(str_starts_with($client->getLastError(), "NOTFOUND"));
    $client->clearLastError();
} catch (RedisException $error) {
    expect(str_starts_with($error->getMessage(), "NOTFOUND"), $error->getMessage());
}

// A transaction, and one that is forgotten.
$replies = $client->multi()->ping()->rawCommand("TIMER.START", "ana")->rawCommand("LOGIN.CHECK", "lou", "payroll")
    ->rawCommand("SELECT", "1")->exec();
expect(count($replies) === 4 && $replies[0] == true, $replies);
expect($replies[2] === "DENY status-locked" && $replies[3] === false, $replies);
expect(is_array($client->rawCommand("TIMER.CURRENT", "ana")));
$client->multi();
$client->rawCommand("TIMER.STOP", "ana");
expect($client->discard() === true);
expect(is_array($client->rawCommand("TIMER.CURRENT", "ana")));

// A refused command aborts the whole. phpredis then waits for more answers than there are queued commands.
$hasty = new Redis();
$hasty->connect("127.0.0.1", $port, 1, null, 0, 1);
$hasty->multi();
$hasty->rawCommand("TIMER.STOP", "ana");
try {
    $hasty->rawCommand("FROBNICATE");
    $replies = $hasty->exec();
} catch (RedisException $error) {
    $replies = false;
}
expect($replies === false, $replies);
expect(is_array($client->rawCommand("TIMER.CURRENT", "ana")));

// A pipeline without a transaction.
$replies = $client->multi(Redis::PIPELINE)->rawCommand("LOGIN.CHECK", "ana", "payroll")
    ->rawCommand("LOGIN.CHECK", "lou", "payroll")->exec();
expect($replies === ["ALLOW", "DENY status-locked"], $replies);

// A connection that the server closes is made anew.
$id = $client->rawCommand("CLIENT", "ID");
$other = new Redis();
$other->connect("127.0.0.1", $port);
expect($other->rawCommand("CLIENT", "KILL", "ID", $id) === 1);
try {
    $client->ping();
} catch (RedisException $error) {
}
expect($client->ping() === true);

// A service, by its secret alone and by name.
$secret = mapping($client->rawCommand("SERVICE.CREATE", "app", "ADMIN"))["secret"];
foreach ([$secret, ["app", $secret]] as $credentials) {
    $named = new Redis();
    $named->connect("127.0.0.1", $port);
    expect($named->auth($credentials) === true);
    expect($named->rawCommand("LOGIN.CHECK", "lou", "payroll") === "DENY status-locked");
}
foreach (["wrong", ["app", "wrong"]] as $credentials) {
    $stranger = new Redis();
    $stranger->connect("127.0.0.1", $port);
    try {
        expect($stranger->auth($credentials) === false);
    } catch (RedisException $error) {
        expect(str_starts_with($error->getMessage(), "WRONGPASS"), $error->getMessage());
    }
    try {
        expect($stranger->rawCommand("LOGIN.CHECK", "ana", "payroll") === false);
    } catch (RedisException $error) {
        expect(str_starts_with($error->getMessage(), "NOAUTH"), $error->getMessage());
    }
}
echo "all passed\n";
