import GatehouseServer
import Hummingbird

/// Every route of the HTTP side. Each family of routes stands in a folder of its own and adds itself here.
struct WebRoutes {
  typealias Responder = RouterResponder<WebContext>

  private let door: CommandDoor

  init(_ door: CommandDoor) { self.door = door }

  func responder() -> Responder {
    let router = Router(context: WebContext.self)
    router.add(middleware: ProblemMiddleware())
    HealthRoutes(door).add(to: router)
    ForwardAuthRoutes(door).add(to: router)
    IntrospectionRoutes(door).add(to: router)
    AccessRoutes(door).add(to: router)
    return router.buildResponder()
  }
}
