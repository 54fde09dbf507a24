# Uses a Gatehouse server through Perl's Redis as an application would. Argument: port. Ends with "all passed".
use strict;
use warnings;
use Redis;

sub expect {
  my ($condition, $seen) = @_;
  die "expected something else than " . ($seen // "undef") . "\n" unless $condition;
}

sub refused {
  my ($start, $work) = @_;
  eval { $work->(); 1 } and die "$start was not refused\n";
  expect($@ =~ /\Q$start\E/, $@);
}

my $port = shift;
my $client = Redis->new(server => "127.0.0.1:$port", reconnect => 5, every => 1000);
expect($client->ping eq "PONG");
expect($client->echo("binary \r\n text") eq "binary \r\n text");
$client->client_setname("tests");
expect($client->client_getname eq "tests");
expect($client->client_list =~ /name=tests .* cmd=client\|list /, $client->client_list);
expect($client->info->{redis_version} =~ /^7\./);
expect({ @{ $client->config_get("maxclients") } }->{maxclients} == 10000);
expect($client->config_set("slowlog-max-len", 99) eq "OK");
expect($client->slowlog("len") >= 0 && $client->dbsize == 0);

sub ask { my ($name, @words) = @_; return $client->__std_cmd($name, @words) }

ask("PRODUCT.CREATE", "payroll");
ask("USER.CREATE", "ana", "PRODUCT", "payroll");
ask("USER.CREATE", "lou", "PRODUCT", "payroll", "STATUS", "locked");
expect(ask("LOGIN.CHECK", "ana", "payroll") eq "ALLOW");
expect(ask("LOGIN.CHECK", "lou", "payroll") eq "DENY status-locked");
expect(ask("IMPERSONATE.CAN", "ana", "lou") =~ /^DENY /);
expect(!defined ask("SESSION.CHECK", "nothing"));
my %session = @{ ask("SESSION.CREATE", "ana", "payroll") };
my %seen = @{ ask("SESSION.CHECK", $session{session}) };
expect($seen{username} eq "ana");
refused("NOTFOUND", sub { ask("USER.GET", "nobody") });

# A transaction, one that is forgotten, and one of which a command is refused.
expect($client->multi eq "OK");
expect(ask("TIMER.START", "ana") eq "QUEUED");
expect(ask("LOGIN.CHECK", "lou", "payroll") eq "QUEUED");
expect(ask("USER.GET", "nobody") eq "QUEUED");
my @replies = map { ref $_ eq "ARRAY" && @$_ == 2 && !ref $_->[0] && defined $_->[1] ? $_->[1] : $_ }
  eval { $client->exec };
expect($@ =~ /NOTFOUND/ || @replies >= 3, "@replies $@");
expect(defined ask("TIMER.CURRENT", "ana"));
$client->multi;
ask("TIMER.STOP", "ana");
expect($client->discard eq "OK");
expect(defined ask("TIMER.CURRENT", "ana"));
$client->multi;
ask("TIMER.STOP", "ana");
refused("unknown command", sub { ask("FROBNICATE") });
refused("EXECABORT", sub { $client->exec });
expect(defined ask("TIMER.CURRENT", "ana"));

my @seen;
$client->echo($_, sub { push @seen, $_[0] }) for 1 .. 50;
$client->wait_all_responses;
expect("@seen" eq join(" ", 1 .. 50), "@seen");

# A connection that the server closes is made anew.
my $other = Redis->new(server => "127.0.0.1:$port");
refused("WATCH is not supported", sub { $other->watch("ana") });
expect($other->client("KILL", "ID", $client->client("ID")) == 1);
expect(ask("ECHO", "again") eq "again");

my %service = @{ ask("SERVICE.CREATE", "app", "ADMIN") };
my $named = Redis->new(server => "127.0.0.1:$port", password => $service{secret});
expect($named->__std_cmd("LOGIN.CHECK", "lou", "payroll") eq "DENY status-locked");
refused("WRONGPASS", sub { Redis->new(server => "127.0.0.1:$port", password => "wrong") });
my $stranger = Redis->new(server => "127.0.0.1:$port");
refused("NOAUTH", sub { $stranger->__std_cmd("LOGIN.CHECK", "ana", "payroll") });
print "all passed\n";
