/// The login decision as an application would put it into Redis: a Lua function over a user's hash.
enum RedisFunction {
  static let name = "login_check"

  static let library = """
    #!lua name=gatehouse_bench
    redis.register_function{
      function_name = 'login_check',
      flags = { 'no-writes' },
      callback = function(keys, args)
        local user = redis.call('HMGET', keys[1], 'status', args[1], 'licence', 'until')
        local status = user[1]
        if not status then return 'DENY unknown-user' end
        if status == 'deleted' or status == 'inactive' or status == 'pending' or status == 'locked' then
          return 'DENY status-' .. status
        end
        if user[2] ~= '1' then return 'DENY product-disabled' end
        if user[3] == 'none' then return 'DENY no-licence' end
        if user[4] and tonumber(user[4]) < tonumber(redis.call('TIME')[1]) then
          return 'DENY outside-employment'
        end
        return 'ALLOW'
      end
    }
    """
}
