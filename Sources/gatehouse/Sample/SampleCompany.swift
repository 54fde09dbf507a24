/// The commands that create a made-up company. The same seed gives the same company; only the times of timers and
/// entries follow the clock, so that "running since this morning" is true whenever it is loaded.
struct SampleCompany {
  /// People with names that examples can rely on.
  enum Cast {
    /// Left a timer running three days ago.
    static let forgetful = "ana"
    /// May log in as others, and stop timers that they left running.
    static let superAdministrator = "sam"
    static let administrator = "tara"
    static let manager = "mo"
    /// Has access to payroll but no licence for it.
    static let unlicensed = "leo"
  }

  static let payroll = "payroll"
  static let planner = "planner"
  /// Whose people may open the console.
  static let console = "console"

  private static let people = 1200
  private static let minute = 60_000
  private static let hour = 60 * minute
  private static let day = 24 * hour

  let now: Int
  private var random: SeededRandom

  /// Products and pools, then people, then their entries, in the order in which they must be created.
  private(set) var commands: [[String]] = []

  /// The running timers, each started by its user in a session of the user's own.
  private(set) var timers: [Timer] = []

  struct Timer {
    let user: String
    let start: Int
    let project: String

    var command: [String] { ["TIMER.START", user, "PROJECT", project, "AT", String(start)] }
  }

  /// - Parameter now: the time in unix milliseconds.
  init(seed: UInt64 = 7420, now: Int) {
    self.now = now
    random = SeededRandom(seed: seed)
    addProducts()
    addCast()
    addPeople()
  }

  /// The last thing created, and what is checked to see whether the company exists: it is there only if everything else
  /// is.
  static let lastCommand = ["ROLE.GRANT", Cast.superAdministrator, "super-administrator", "MAIN"]

  // MARK: Parts

  private mutating func addProducts() {
    commands += [
      ["PRODUCT.CREATE", Self.payroll],
      ["PRODUCT.CREATE", Self.planner],
      ["PRODUCT.CREATE", Self.console],
      ["POOL.SET", Self.payroll, "office", "950"],
      ["POOL.SET", Self.payroll, "intranet", "400"],
      ["POOL.SET", Self.payroll, "guest", "10"],
      ["POOL.SET", Self.planner, "*", "1100"],
    ]
  }

  private mutating func addCast() {
    add(username: Cast.superAdministrator, first: "Sam", last: "Okafor", licence: "office", usesPlanner: true)
    add(
      username: Cast.administrator, first: "Tara", last: "Lindqvist", licence: "office", usesPlanner: true,
      role: "training-administrator")
    add(username: Cast.manager, first: "Mo", last: "Haddad", licence: "office", usesPlanner: true, role: "manager")
    add(username: Cast.unlicensed, first: "Leo", last: "Weber", licence: nil, usesPlanner: true)
    for name in [Cast.superAdministrator, Cast.administrator] {
      commands.append(["PRODUCT.ENABLE", name, Self.console])
    }
    add(username: Cast.forgetful, first: "Ana", last: "Silva", licence: "office", usesPlanner: true)
    timers.append(Timer(user: Cast.forgetful, start: now - 3 * Self.day, project: "Invoicing"))
  }

  private mutating func addPeople() {
    var taken: Set<String> = []
    for _ in 0..<Self.people {
      let (first, last, username) = draw(avoiding: &taken)
      let licence: String? = random.chance(8) ? nil : random.chance(72) ? "office" : "intranet"
      let role: String? = random.chance(1) ? "training-administrator" : random.chance(6) ? "manager" : nil
      add(
        username: username, first: first, last: last, licence: licence, usesPlanner: random.chance(75), role: role)
      let status = drawStatus()
      // Without a licence a user cannot log in to start a timer.
      if status == nil, licence != nil { addTimeRecords(username) }
      if let status { commands.append(["USER.STATUS", username, status]) }
    }
  }

  /// People with the same name get a number in their username.
  private mutating func draw(avoiding taken: inout Set<String>) -> (String, String, String) {
    let first = SampleNames.first.randomElement(using: &random)!
    let last = SampleNames.last.randomElement(using: &random)!
    let plain = SampleNames.plain(first) + "." + SampleNames.plain(last)
    var username = plain
    var number = 2
    while !taken.insert(username).inserted {
      username = plain + String(number)
      number += 1
    }
    return (first, last, username)
  }

  private mutating func add(
    username: String, first: String, last: String, licence: String?, usesPlanner: Bool, role: String? = nil
  ) {
    let department = SampleNames.departments.randomElement(using: &random)!
    let hired = Timestamp.text(
      seconds: (now - Int.random(in: 30...3000, using: &random) * Self.day) / 1000, milliseconds: 0)
    var words = [
      "USER.CREATE", username, "FIRST", first, "LAST", last, "EMAIL", "\(username)@acme.example",
      "DEPARTMENT", department, "HIRED", String(hired.prefix(10)), "STATUS", "active", "NOINVITE",
      "PRODUCT", Self.payroll,
    ]
    if usesPlanner { words += ["PRODUCT", Self.planner] }
    if let licence { words += ["LICENCE", Self.payroll, licence] }
    if let role { words += ["ROLE", role] }
    commands.append(words)
  }

  private mutating func drawStatus() -> String? {
    switch Int.random(in: 0..<100, using: &random) {
    case 0, 1: "inactive"
    case 2: "locked"
    case 3: "pending"
    default: nil
    }
  }

  /// One in ten is at work with a timer running; one in ten of those forgot it days ago. One in six has entries.
  private mutating func addTimeRecords(_ username: String) {
    let project = SampleNames.projects.randomElement(using: &random)!
    if random.chance(17) {
      for daysAgo in 10...11 {
        let start = now - daysAgo * Self.day - Int.random(in: 0..<120, using: &random) * Self.minute
        let end = start + Int.random(in: 60...480, using: &random) * Self.minute
        commands.append(["ENTRY.ADD", username, "START", String(start), "END", String(end), "PROJECT", project])
      }
    }
    guard random.chance(10) else { return }
    let isForgotten = random.chance(10)
    let age =
      isForgotten
      ? Int.random(in: 1...9, using: &random) * Self.day : Int.random(in: 1..<480, using: &random) * Self.minute
    timers.append(Timer(user: username, start: now - age, project: project))
  }
}

extension SampleCompany {
  /// How many commands have that name.
  func count(of name: String) -> Int { commands.count { $0[0] == name } }

  /// Timers that have run longer than anybody works.
  var forgottenCount: Int { timers.count { now - $0.start >= Self.day } }
}
