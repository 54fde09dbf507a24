import GatehouseServer
import Hummingbird

/// The administrators' console: pages made on the server, which work without scripts.
///
/// To add an area, write a struct in a folder beside this file that is `ConsolePages`, and name it in `families`:
///
///     struct SeatPages: ConsolePages {
///       static let address = Address("seats")
///       var areas: [Area] { [Area("Seats", .access, Self.address, needs: ["pool.read"])] }
///
///       func add(to console: ConsoleRouter) {
///         console.get("seats") { visit in
///           let pools = try await visit.read("POOL.LIST")                    // AS the person; the footer shows it
///           let rows = (pools.elements ?? []).map { Table.Row([[.value($0["product"])], [.value($0["used"])]]) }
///           let table = Table(caption: "Seats", columns: [.init("Product"), .init("Used")], rows: rows)
///           return .page(Page("Seats", area: Self.address, [table.block]))
///         }
///         console.post("seats/free") { visit in
///           _ = try await visit.write("LICENCE.REMOVE", visit.form["user"], visit.form["product"])
///           return .redirect(Self.address, Flash("The seat is free."))
///         }
///       }
///     }
///
/// - A `Page` is made of blocks (`Block`, `Table`, `Form`, `Confirmation`), and blocks of cells (`Cell`); few pages need a
///   template of their own. New templates are files in `Resources`, named in `Templates.sources`. Never write `{{{`.
/// - `visit.read` throws what the server refuses, and the reader sees it with rule and remedy. What a form's handler throws is
///   shown on the page that the form came from, with what was typed, and the field that the refusal names is marked. `visit.readIfAllowed` is for
///   parts of a page that some may not see. `visit.write` adds the form's reason and a key, so that a form which is sent
///   twice is carried out once. Token, origin and size of every form have been checked when a handler runs.
/// - Buttons exist where the server says so: `Button.asked(await visit.verdict(command…), …)`. What is destructive goes
///   through `Confirmation`: a trial, the reason, and *Undo* afterwards.
/// - Nothing that is secret goes into an address or a flash; what is shown once is a page that answers the form.
struct Console {
  private let door: CommandDoor

  init(_ door: CommandDoor) { self.door = door }

  /// In the order of the navigation.
  private static let families: [any ConsolePages] = [
    HomePages(), OwnPages(), WorkspacePicker(), SearchPages(), PeoplePages(), ContactPages(), AccountPages(),
    WhyPages(), RefusalPages(), TimerPages(), EntryPages(), ImpersonationPages(),
    ProductPages(), RolePages(),
    TrailPages(), ApprovalPages(), WorkspacePages(), FieldPages(), MailPages(), WebhookPages(), ServicePages(),
    NodePages(),
  ]

  /// Leads to the first page: whoever types only the host in a browser means the console.
  static let entrance = "/"

  func add(to router: Router<WebContext>) {
    router.get(RouterPath(Self.entrance)) { _, _ in Response.redirect(toPage: Address.root) }
    for site in SignInSite.allCases {
      Assets.add(to: router, at: site)
      SignInPages(door, at: site).add(to: router)
      ForgottenPages(door, at: site).add(to: router)
    }
    let console = ConsoleRouter(router, PageServer(door, areas: Self.families.flatMap(\.areas)))
    for family in Self.families { family.add(to: console) }
    console.get("**") { _ in throw Problem.nothingThere }
    console.finish()
  }
}

/// The pages about one subject.
protocol ConsolePages: Sendable {
  /// What the navigation shows of them.
  var areas: [Area] { get }

  func add(to console: ConsoleRouter)
}
