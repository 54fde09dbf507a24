/// What happened in the sample company, chapter by chapter: each shows something that can be looked at afterwards.
///
/// `{soon}` stands for a moment shortly after the command is sent, and `{two days ago}` for what it says.
struct SampleStory {
  struct Chapter {
    let title: String
    let steps: [Step]
  }

  enum Step {
    /// A command of the operator.
    case operate(String)
    /// A command of a user, in a session of a product.
    case act(_ user: String, in: String, String)
    /// Commands of a user who has logged in as another.
    case impersonate(_ actor: String, _ subject: String, in: String, because: String, [String])
    /// The newest command of that name about a user is taken back.
    case takeBack(_ command: String, about: String)
  }

  static let academy = "academy"
  static let courses = "academy/courses"

  static let chapters = [
    departures, duplicates, invitations, auditors, forgotten, fields, academyOpens, customers, shared, delegates,
    credentials, approvals, refusals,
  ]

  /// How many people it adds.
  static let people = chapters.flatMap(\.steps).count { step in
    if case .operate(let line) = step { line.hasPrefix("USER.CREATE ") } else { false }
  }

  // MARK: The company

  private static let departures = Chapter(
    title: "Otto's time is over, and Pia was deleted by mistake",
    steps: [
      .operate(create("otto", "Otto", "Berg", "PRODUCT payroll LICENCE payroll office")),
      .operate("ROLE.GRANT otto manager UNTIL {soon} REASON 'stands in for Mo'"),
      .operate("PRODUCT.ENABLE otto planner UNTIL {soon}"),
      .operate(create("pia", "Pia", "Holm", "PRODUCT payroll LICENCE payroll office PRODUCT planner")),
      .act("tara", in: "payroll", "USER.DELETE pia REASON 'left the company'"),
      .takeBack("USER.DELETE", about: "pia"),
      .operate(create("hugo", "Hugo", "Moreau", "PRODUCT payroll")),
      .act("tara", in: "payroll", "USER.DELETE hugo REASON 'left the company'"),
    ])

  private static let duplicates = Chapter(
    title: "Johan was in the books twice",
    steps: [
      .operate(create("johan", "Johan", "Dahl", "PRODUCT payroll LICENCE payroll office")),
      .operate(create("jo.dahl", "Jo", "Dahl", "PRODUCT planner PHONE '+46 8 123'")),
      .operate("ENTRY.ADD jo.dahl START 2026-03-02T08:00:00Z END 2026-03-02T11:30:00Z PROJECT Refit"),
      .act("tara", in: "payroll", "USER.MERGE johan jo.dahl REASON 'the same person'"),
    ])

  private static let invitations = Chapter(
    title: "Mails wait to be sent",
    steps: [
      .operate(
        "USER.CREATE nia FIRST Nia LAST Adeyemi EMAIL nia@acme.example PRODUCT planner"
          + " MESSAGE 'See you on Monday at nine.'"),
      .operate(
        "USER.CREATE maria@acme.example FIRST Maria LAST Costa EMAIL maria@acme.example PRODUCT planner LANGUAGE cs"
          + " NOINVITE"),
      .act("tara", in: "payroll", "USER.RENAME maria@acme.example maria.costa@acme.example"),
    ])

  private static let auditors = Chapter(
    title: "Auditors take nearly all guest licences",
    steps: (1...9).map {
      .operate(create("auditor\($0)", "Auditor", "\($0)", "LICENCE payroll guest DEPARTMENT Audit"))
    })

  private static let forgotten = Chapter(
    title: "Kai forgot his timer, and Tara stopped it as him",
    steps: [
      .operate(create("kai", "Kai", "Nakamura", "PRODUCT payroll LICENCE payroll office ROLE individual")),
      .act("kai", in: "payroll", "TIMER.START kai PROJECT Migration NOTE 'data of the old office' AT {two days ago}"),
      .impersonate(
        "tara", "kai", in: "main", because: "left running since the day before yesterday",
        ["TIMER.STOP kai", "USER.SET kai phone '+81 3 1234'"]),
    ])

  private static let fields = Chapter(
    title: "Fields of the company's own",
    steps: [
      .operate("FIELD.DEFINE shirt choice CHOICES 3 S M L"), .operate("FIELD.DEFINE badge number"),
      .operate("USER.SET ana shirt M badge 1001"), .operate("USER.SET kai shirt L badge 1002"),
      .operate("USER.BULK SET division north WHERE shirt != ''"),
    ])

  // MARK: The academy, a workspace of its own

  private static let academyOpens = Chapter(
    title: "A training provider works on the same server",
    steps: [
      .operate("WORKSPACE.CREATE academy PROFILE accessplanit"), .operate("PRODUCT.CREATE academy/courses"),
      .operate("ACCOUNT.CREATE 'Northwind Academy' PROVIDER WORKSPACE academy"),
      .operate("ACCOUNT.CREATE Acme CUSTOMER WORKSPACE academy"),
      .operate("ACCOUNT.CREATE 'Blue Harbour' CUSTOMER WORKSPACE academy"),
      .operate("ACCOUNT.CREATE 'Old Mill' CUSTOMER WORKSPACE academy"),
      .operate("GROUP.CREATE Nordic WORKSPACE academy"),
      .operate("GROUP.ADD Nordic Acme 'Blue Harbour' WORKSPACE academy"),
      .operate(student("sven", "Sven", "Lund", "Northwind Academy", "super-administrator")),
      .operate(student("ingrid", "Ingrid", "Vik", "Northwind Academy", "training-administrator")),
      .operate("WORKSPACE.SET academy owner sven policy.impersonation.notify person"),
      .operate("FIELD.DEFINE diet choice WORKSPACE academy CHOICES 3 any vegetarian vegan"),
    ])

  private static let customers = Chapter(
    title: "Customers have managers, and employ people for a time",
    steps: [
      .operate(student("bea", "Bea", "Lindgren", "Blue Harbour", "manager")),
      .operate(student("finn", "Finn", "Aalto", "Blue Harbour", "individual")),
      .operate(student("lotte", "Lotte", "Bakker", "Blue Harbour", "individual")),
      .operate(student("ulf", "Ulf", "Eriksen", "Old Mill", "individual")),
      .act(
        "ingrid", in: courses, "EMPLOY.ADD ulf 'Blue Harbour' FROM 2023-01-09 TO 2025-06-30 WORKSPACE academy"),
      .act("ingrid", in: courses, "MANAGE.ADD bea ACCOUNT 'Blue Harbour' WORKSPACE academy"),
      .act("ingrid", in: courses, "MANAGE.ADD ingrid GROUP Nordic WORKSPACE academy"),
      .act("ingrid", in: courses, "USER.SET finn diet vegan"),
      .act("ingrid", in: courses, "USER.SET ulf restrict-bookings 1"),
    ])

  private static let shared = Chapter(
    title: "Ana, Kai and Mo of the company belong to the academy too",
    steps: ["ana", "kai", "mo"].flatMap { name -> [Step] in
      [
        .operate("WORKSPACE.MEMBER academy \(name)"), .operate("PRODUCT.ENABLE \(name) academy/courses"),
        .operate("EMPLOY.ADD \(name) Acme FROM 2024-02-01 WORKSPACE academy"),
      ]
    } + [.operate("ROLE.GRANT mo manager ACCOUNT academy/Acme")])

  private static let delegates = Chapter(
    title: "Courses have delegates, who book, attend and pay",
    steps: [
      .act("ingrid", in: courses, delegate("ana", "first-aid", "booked")),
      .act("ingrid", in: courses, delegate("kai", "first-aid", "waiting list")),
      .act("ingrid", in: courses, delegate("finn", "welding", "attended")),
      .act("ingrid", in: courses, "LINK.ADD finn award welding-basic WORKSPACE academy"),
      .act("finn", in: courses, "LINK.ADD finn booking crane-driving WORKSPACE academy STATUS confirmed"),
      .act("bea", in: courses, "LINK.ADD lotte booking first-aid WORKSPACE academy STATUS confirmed"),
      .impersonate(
        "ingrid", "lotte", in: academy, because: "asked on the phone for the discount",
        ["LINK.ADD lotte booking welding WORKSPACE academy STATUS confirmed ATTR discount SPRING10"]),
      .act("ingrid", in: courses, "LINK.ADD bea invoice 2026-17 WORKSPACE academy STATUS open ATTR amount 420"),
    ])

  // MARK: To look at

  private static let credentials = Chapter(
    title: "Kai's script has a key, and the academy asks its administrators for a second factor",
    steps: [
      .act("kai", in: "payroll", "APIKEY.CREATE kai NAME 'time export' TTL 90d IDEM sample-key"),
      .operate("WORKSPACE.SET academy policy.login.second-factor administrators policy.login.issuer 'Nordic Academy'"),
    ])

  private static let approvals = Chapter(
    title: "Clearing somebody's data needs two people",
    steps: [
      .operate("WORKSPACE.SET main policy.approval.needs user.anonymise,user.purge"),
      .act("tara", in: "payroll", "USER.ANONYMISE hugo REASON 'asked for it in writing'"),
    ])

  private static let refusals = Chapter(
    title: "Some were not let in",
    steps: ["leo payroll", "pia academy/courses", "hugo payroll", "nobody payroll"].map {
      .operate("LOGIN.CHECK \($0)")
    })

  // MARK: -

  private static func create(_ username: String, _ first: String, _ last: String, _ more: String) -> String {
    "USER.CREATE \(username) FIRST \(first) LAST \(last) EMAIL \(username)@acme.example \(more) NOINVITE"
  }

  private static func student(
    _ username: String, _ first: String, _ last: String, _ account: String, _ role: String
  ) -> String {
    "USER.CREATE \(username) WORKSPACE academy FIRST \(first) LAST \(last) EMAIL \(username)@academy.example"
      + " PRODUCT academy/courses ACCOUNT '\(account)' ROLE \(role) WITHIN NOINVITE"
  }

  private static func delegate(_ user: String, _ course: String, _ status: String) -> String {
    "LINK.ADD \(user) delegate \(course) WORKSPACE academy STATUS '\(status)' ATTR starts 2026-04-14"
  }
}
