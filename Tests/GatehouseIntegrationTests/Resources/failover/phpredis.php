<?php
// phpredis.php host:port,… NAME: creates users on the node that phpredis' RedisSentinel names; see failover.py. The extension
// knows the commands, and an application does the rest as Redis advises: it asks ROLE, and asks anew after a failure.
[, $addresses, $name] = $argv;

function leader(string $addresses): Redis {
  foreach (explode(',', $addresses) as $address) {
    try {
      [$host, $port] = explode(':', $address);
      $sentinel = new RedisSentinel($host, (int)$port, 2.0, null, 0, 2.0);
      $found = $sentinel->getMasterAddrByName('gatehouse');
      if (!$found) continue;
      $redis = new Redis();
      $redis->connect($found[0], (int)$found[1], 2.0, null, 0, 2.0);
      if ($redis->rawCommand('ROLE')[0] === 'master') return $redis;
    } catch (RedisException $error) {
    }
  }
  throw new RedisException('no node leads');
}

$redis = null;
for ($number = 1; ; $number++) {
  try {
    $redis ??= leader($addresses);
    $reply = $redis->rawCommand('USER.CREATE', "$name$number", 'PRODUCT', 'payroll', 'STATUS', 'active');
    if ($reply === false) throw new RedisException($redis->getLastError());
    echo "ok $name$number\n";
  } catch (RedisException $error) {
    $redis = null;
    echo 'failed ', $error->getMessage(), "\n";
  }
  usleep(100_000);
}
