# failover.rb host:port,… NAME: creates users through redis-rb's Sentinel client; see failover.py.
require "redis"

nodes = ARGV[0].split(",").map { |address| address.split(":") }
redis = Redis.new(
  url: "redis://gatehouse", role: :master, timeout: 2,
  sentinels: nodes.map { |host, port| { host: host, port: port.to_i } }
)
$stdout.sync = true
(1..).each do |number|
  begin
    redis.call(["USER.CREATE", "#{ARGV[1]}#{number}", "PRODUCT", "payroll", "STATUS", "active"])
    puts "ok #{ARGV[1]}#{number}"
  rescue StandardError => error
    puts "failed #{error.class} #{error.message}"
  end
  sleep 0.1
end
