# Uses a Gatehouse server through redis-rb as an application would. Argument: port. Ends with "all passed".
require "redis"

def expect(condition, seen = nil)
  raise "expected something else than #{seen.inspect}" unless condition
end

def mapping(flat)
  flat.is_a?(Hash) ? flat : Hash[*flat]
end

def refused(error, start)
  yield
rescue error => caught
  expect(caught.message.start_with?(start), caught.message)
else
  raise "#{start} was not refused"
end

port = ARGV[0].to_i
client = Redis.new(port: port)
expect(client.ping == "PONG")
expect(client.echo("binary \r\n text") == "binary \r\n text")
client.call("CLIENT", "SETNAME", "tests")
expect(client.client("getname") == "tests")
about = client.client("list").first
expect(about["name"] == "tests" && about["cmd"] == "client|list" && about["multi"] == "-1", about)
expect(client.info["redis_version"].start_with?("7."))
expect(client.config(:get, "maxclients") == { "maxclients" => "10000" })
expect(client.config(:set, "slowlog-max-len", "99") == "OK")
expect(client.slowlog(:len) >= 0 && client.dbsize == 0)

client.call("PRODUCT.CREATE", "payroll")
client.call("USER.CREATE", "ana", "PRODUCT", "payroll")
client.call("USER.CREATE", "lou", "PRODUCT", "payroll", "STATUS", "locked")
expect(client.call("LOGIN.CHECK", "ana", "payroll") == "ALLOW")
expect(client.call("LOGIN.CHECK", "lou", "payroll") == "DENY status-locked")
expect(client.call("IMPERSONATE.CAN", "ana", "lou").start_with?("DENY "))
expect(client.call("SESSION.CHECK", "nothing").nil?)
session = mapping(client.call("SESSION.CREATE", "ana", "payroll"))
expect(mapping(client.call("SESSION.CHECK", session["session"]))["username"] == "ana")
refused(Redis::CommandError, "NOTFOUND") { client.call("USER.GET", "nobody") }

# A transaction, one that is left, one of which a command is refused, and what cannot be watched.
replies = client.multi do |transaction|
  transaction.ping
  transaction.call(["TIMER.START", "ana"])
  transaction.call(["LOGIN.CHECK", "lou", "payroll"])
end
expect(replies.length == 3 && replies[0] == "PONG" && replies[2] == "DENY status-locked", replies)
begin
  client.multi do |transaction|
    transaction.call(["TIMER.STOP", "ana"])
    raise "never mind"
  end
rescue RuntimeError => caught
  expect(caught.message == "never mind", caught)
end
expect(!client.call("TIMER.CURRENT", "ana").nil?)
refused(Redis::CommandError, "ERR unknown command") do
  client.multi do |transaction|
    transaction.call(["TIMER.STOP", "ana"])
    transaction.call(["FROBNICATE"])
  end
end
expect(!client.call("TIMER.CURRENT", "ana").nil?)
refused(Redis::CommandError, "ERR WATCH is not supported") { client.watch("ana") }
expect(client.unwatch == "OK")
expect(client.ping == "PONG")

replies = client.pipelined do |pipeline|
  20.times { |number| pipeline.echo(number.to_s) }
end
expect(replies == (0...20).map(&:to_s), replies)

# A connection that the server closes is made anew.
other = Redis.new(port: port)
expect(other.call("CLIENT", "KILL", "ID", client.call("CLIENT", "ID").to_s) == 1)
expect(client.ping == "PONG")

secret = mapping(client.call("SERVICE.CREATE", "app", "ADMIN"))["secret"]
[{ password: secret }, { username: "app", password: secret }].each do |credentials|
  expect(Redis.new(port: port, **credentials).call("LOGIN.CHECK", "ana", "payroll") == "ALLOW")
end
[{ password: "wrong" }, { username: "app", password: "wrong" }].each do |credentials|
  begin
    Redis.new(port: port, **credentials).call("LOGIN.CHECK", "ana", "payroll")
    raise "a wrong secret was accepted"
  rescue Redis::BaseError => caught
    expect(caught.message.match?(/WRONGPASS|NOAUTH/), caught.message)
  end
end
puts "all passed"
