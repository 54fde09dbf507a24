import ArgumentParser
import Foundation
import GatehouseWire

/// `gatehouse sample`: creates the sample company on a running server, with ordinary commands.
struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fill a server with a made-up company.",
    discussion: """
      EXAMPLES:
        gatehouse sample
        gatehouse sample --port 7430

      About 1,200 people with two products and the console, pools of licences, roles,
      entries, running timers, and some that were forgotten; and a training provider,
      a workspace of its own, with accounts, managers, courses and delegates, some of
      whom work for the company. Somebody was merged, somebody deleted and taken
      back, somebody logged in as somebody else; mails and an approval wait. The
      company is the same every time. If it already exists, nothing is changed.
      """)

  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    let session = try connection.session()
    let loader = SampleLoader(session: session)
    do {
      if try loader.isThere() {
        StandardStream.error(Self.isThere)
        return
      }
      let company = SampleCompany(now: Int(Date().timeIntervalSince1970 * 1000))
      try loader.load(company)
      StandardStream.error(Self.summary(of: company) + Self.signIn(try loader.setPassword()))
    } catch let error as SampleLoader.Failure {
      StandardStream.message("gatehouse: \(error)")
      throw ExitCode(ExitStatus.errorReply)
    } catch {
      StandardStream.message("gatehouse: \(error)")
      throw ExitCode(ExitStatus.noConnection)
    }
  }

  private static let isThere = """
    The sample company already exists; nothing was changed.
    To sign in to the console again: gatehouse cli PASSWORD.SET \(SampleCompany.Cast.superAdministrator) 'for the first \
    time only' TEMPORARY

    """

  private static func signIn(_ password: String) -> String {
    """
    Sign in to the console as \(SampleCompany.Cast.superAdministrator) with the password \(password)
    It is for once: the console asks for another. PASSWORD.SET \(SampleCompany.Cast.superAdministrator) sets a new one.

    """
  }

  private static func summary(of company: SampleCompany) -> String {
    """
    The sample company is there: \(company.count(of: "USER.CREATE") + SampleStory.people) people, \(company.count(of: "PRODUCT.CREATE")) \
    products, \(company.timers.count) running timers of which \(company.forgottenCount) were forgotten, \
    \(company.count(of: "ENTRY.ADD")) entries.
    \(SampleStory.chapters.map { "  - \($0.title)" }.joined(separator: "\n"))
    Try: LOGIN.CHECK \(SampleCompany.Cast.forgetful) \(SampleCompany.payroll), \
    LOGIN.EXPLAIN \(SampleCompany.Cast.unlicensed) \(SampleCompany.payroll), TIMER.RUNNING LONGER 1d

    """
  }
}
