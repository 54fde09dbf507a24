<?php
// predis.php host:port,… NAME: creates users through Predis' Sentinel client; see failover.py. Predis drops each sentinel that
// does not answer and never tries it again, so after a failure there is a new client, as with each request of a web server.
require_once 'Predis/autoload.php';

[, $addresses, $name] = $argv;
$nodes = array_map(fn($address) => "tcp://$address?timeout=2", explode(',', $addresses));
$options = ['replication' => 'sentinel', 'service' => 'gatehouse', 'parameters' => ['timeout' => 2]];
$redis = null;
for ($number = 1; ; $number++) {
  try {
    $redis ??= new Predis\Client($nodes, $options);
    $reply = $redis->executeRaw(['USER.CREATE', "$name$number", 'PRODUCT', 'payroll', 'STATUS', 'active'], $failed);
    if ($failed) throw new Exception($reply);
    echo "ok $name$number\n";
  } catch (Exception $error) {
    $redis = null;
    echo 'failed ', get_class($error), ' ', $error->getMessage(), "\n";
  }
  usleep(100_000);
}
