import GatehouseTestSupport
import GatehouseWire
import Testing

/// The way that somebody new goes: a first service, TLS, a login with password and code, and the end of a session.
@Suite("From the first service to the end of a session", .blocking)
struct WholeWayTests {
  private static let password = "'three grey geese landed'"

  @Test("over TLS a program logs a user in, is slowed when guessing, and loses the session with the user's status")
  func wholeWay() throws {
    let folder = try TemporaryFolder("whole-way")
    let made = try runProgram(
      try GatehouseProgram.control(), ["service", "create", "--new", folder.path("data"), "ops", "ADMIN"])
    let secret = try #require(
      made.output.split(whereSeparator: \.isNewline).first { $0.hasPrefix("secret: ") }?.dropFirst(8), "\(made.errors)")
    var options = TestServer.Options(lanes: 2, arguments: ["--password-memory", "64", "--password-passes", "1"])
    options.authority = try TestAuthority()
    let server = try TestServer(options, folder: folder)
    defer { server.kill() }

    let ops = try server.tlsClient()
    try ops.refused("USER.COUNT", with: "NOAUTH")
    try ops.ok("HELLO 3 AUTH ops \(secret)")
    try ops.ok("WORKSPACE.SET main policy.password.admin-sets-final on")
    try ops.ok("PRODUCT.CREATE payroll")
    try ops.ok("USER.CREATE ana PRODUCT payroll NOINVITE PASSWORD \(Self.password)")
    let program = try #require(try ops.fields("SERVICE.CREATE web READ SESSIONS")["secret"])

    let web = try server.tlsClient()
    try web.ok("HELLO 3 AUTH web \(program)")
    try web.refused("USER.STATUS ana inactive", with: "NOPERM the service right ADMIN")
    let login = "LOGIN.PASSWORD ana payroll \(Self.password) IP 203.0.113.7"
    let first = try #require(try web.fields(login)["session"])
    let app = try #require(Authenticator(try web.text("AS \(first) TOTP.ENROL ana")))
    // A step back, so that the code of now is still to be used.
    let codes = try web.reply("AS \(first) TOTP.CONFIRM ana \(try app.code(at: nowMilliseconds() - 30_000))")
    #expect(codes.items.count == 10)
    #expect(try web.isNull("SESSION.CHECK \(first)"), "it was opened without a second factor")
    let challenge = try #require(try web.fields(login)["challenge"])
    let answer = try web.fields("LOGIN.TOTP \(challenge) \(try app.code(at: nowMilliseconds()))")
    let session = try #require(answer["session"])
    #expect(answer["decision"] == "ALLOW" && answer["must-change"] == "0")
    #expect(try web.fields("SESSION.CHECK \(session)")["username"] == "ana")

    for number in 0..<5 {
      #expect(try web.fields("LOGIN.PASSWORD ana payroll 'guess number \(number)'")["reason"] == "credentials")
    }
    let waiting = try web.fields(login)
    #expect(waiting["reason"] == "wait" && waiting["retry-after"].flatMap { Int($0) }.map { $0 > 0 } == true)
    #expect(try web.fields("SESSION.CHECK \(session)")["username"] == "ana", "who guesses ends nobody's session")

    try ops.ok("USER.STATUS ana inactive")
    #expect(try web.isNull("SESSION.CHECK \(session)"))
    try web.refused("AS \(session) SESSION.LIST ana", with: "NOPERM a session in force")
    try ops.ok("USER.STATUS ana active")
    #expect(try web.isNull("SESSION.CHECK \(session)"), "it does not come back")
  }
}
