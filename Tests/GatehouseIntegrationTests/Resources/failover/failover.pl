# failover.pl host:port,… NAME: creates users through the Sentinel client of Perl's Redis; see failover.py.
use strict;
use warnings;
use Redis;

my ($addresses, $name) = @ARGV;
my $redis;
$| = 1;
for (my $number = 1; ; $number++) {
  my $done = eval {
    $redis //= Redis->new(
      sentinels => [split /,/, $addresses], service => 'gatehouse', reconnect => 1, every => 100_000,
      sentinels_cnx_timeout => 1, sentinels_read_timeout => 2, cnx_timeout => 2, read_timeout => 2,
    );
    $redis->__std_cmd('USER.CREATE', "$name$number", 'PRODUCT', 'payroll', 'STATUS', 'active');
    1;
  };
  print $done ? "ok $name$number\n" : 'failed ' . ($@ =~ s/\s+/ /gr) . "\n";
  select undef, undef, undef, 0.1;
}
