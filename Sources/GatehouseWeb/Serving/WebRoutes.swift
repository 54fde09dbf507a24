import GatehouseServer
import Hummingbird

/// Every route of the HTTP side. Each family of routes stands in a folder of its own and adds itself here.
struct WebRoutes {
  typealias Responder = RouterResponder<WebContext>

  private let door: CommandDoor
  /// Where pages, lists and figures are made; nil for the thread of the decisions.
  private let pages: LoopExecutor?

  init(_ door: CommandDoor, pages: LoopExecutor? = nil) {
    self.door = door
    self.pages = pages
  }

  func responder() -> Responder {
    router(table: table).buildResponder()
  }

  /// Where decisions are asked for.
  var decisions: PathSet {
    let router = Router(context: WebContext.self, options: .autoGenerateHeadEndpoints)
    addDecisions(to: router)
    return PathSet(RouteTable(router))
  }

  /// All routes.
  var table: RouteTable { RouteTable(router()) }

  /// - Parameter table: the routes, for what needs to know them.
  private func router(table: RouteTable? = nil) -> Router<WebContext> {
    let router = Router(context: WebContext.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: RequestCounting(door: door))
    if let table { router.add(middleware: MethodMiddleware(table: table, operations: Self.operations)) }
    router.add(middleware: ProblemMiddleware())
    addDecisions(to: router)
    // A middleware is only about the routes that are added after it. What follows may take milliseconds.
    if let pages { router.add(middleware: OtherThread(executor: pages)) }
    MetricsRoutes(door).add(to: router)
    SCIMRoutes(door).add(to: router)
    EventRoutes(door).add(to: router)
    Console(door).add(to: router)
    DocumentRoutes(table, Self.operations).add(to: router)
    return router
  }

  /// The routes that take microseconds and answer with few bytes.
  private func addDecisions(to router: Router<WebContext>) {
    HealthRoutes(door).add(to: router)
    ForwardAuthRoutes(door).add(to: router)
    IntrospectionRoutes(door).add(to: router)
    AccessRoutes(door).add(to: router)
  }

  /// What `/openapi.json` says of the routes.
  static let operations =
    HealthRoutes.operations + MetricsRoutes.operations + ForwardAuthRoutes.operations + IntrospectionRoutes.operations
    + AccessRoutes.operations + SCIMRoutes.operations
    + EventRoutes.operations
}
