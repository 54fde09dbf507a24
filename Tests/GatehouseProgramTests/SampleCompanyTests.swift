import GatehouseTestSupport
import Testing

@testable import gatehouse

@Suite(.blocking) struct SampleCompanyTests {
  private let company = SampleCompany(now: 1_772_352_000_000)

  /// Those whom the story adds, as the words of the commands.
  private var cast: [[String]] {
    SampleStory.chapters.flatMap(\.steps).compactMap { step in
      guard case .operate(let line) = step, line.hasPrefix("USER.CREATE ") else { return nil }
      return RequestLine.words(of: line)?.map { String(decoding: $0, as: UTF8.self) }
    }
  }

  @Test func `the same seed gives the same company`() {
    #expect(company.commands == SampleCompany(now: 1_772_352_000_000).commands)
    #expect(company.commands != SampleCompany(seed: 1, now: 1_772_352_000_000).commands)
  }

  @Test func `it is large enough to try things on`() {
    #expect(company.count(of: "USER.CREATE") >= 1000)
    #expect(company.timers.count >= 50)
    #expect(company.forgottenCount >= 5)
    #expect(company.count(of: "ENTRY.ADD") >= 100)
  }

  @Test func `user names are unique and plain`() {
    let names = company.commands.filter { $0[0] == "USER.CREATE" }.map { $0[1] }
    let all = names + cast.map { $0[1] }
    #expect(Set(all).count == all.count)
    #expect(names.allSatisfy { $0.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == ".") } })
  }

  @Test func `the pools have enough seats`() throws {
    let people = company.commands.filter { $0[0] == "USER.CREATE" } + cast
    for pool in company.commands where pool[0] == "POOL.SET" {
      let used = people.count { pool[2] == "*" ? $0.contains(pool[1]) : $0.contains(pool[2]) }
      #expect(used <= (try #require(Int(pool[3]))), "\(pool)")
    }
  }

  @Test func `nothing is in the future, and nobody has two timers`() {
    let timers = company.timers
    #expect(Set(timers.map(\.user)).count == timers.count)
    for timer in timers { #expect(timer.start < company.now) }
    for entry in company.commands where entry[0] == "ENTRY.ADD" {
      #expect(Int(entry[3])! < Int(entry[5])!)
      #expect(Int(entry[5])! < company.now)
    }
  }
}
