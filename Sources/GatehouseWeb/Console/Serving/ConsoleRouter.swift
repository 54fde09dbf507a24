import Hummingbird

/// Adds pages for people who are signed in. Who is not goes to the sign-in first and comes back.
struct ConsoleRouter {
  typealias Handler = @Sendable (Visit) async throws -> Outcome

  private let router: Router<WebContext>
  /// The pages alone.
  private let pages = Router(context: WebContext.self)
  let server: PageServer

  init(_ router: Router<WebContext>, _ server: PageServer) {
    self.router = router
    self.server = server
  }

  /// Once all pages are there: refused forms are shown again on theirs.
  func finish() { server.formPages.open(pages) }

  /// A page. The path is below `/console`; parts such as `:user` are `Visit.parameter`.
  func get(_ path: String, _ handler: @escaping Handler) {
    let server = server
    for router in [router, pages] {
      router.get(RouterPath(Address.root + "/" + path)) { request, context in
        await server.answer(request, context, isForm: false, handler)
      }
    }
  }

  /// What a form sends to. Answer with a redirect, so that loading again repeats nothing; with a page only where
  /// something is shown once, such as a key, or the form has errors.
  func post(_ path: String, _ handler: @escaping Handler) {
    let server = server
    router.post(RouterPath(Address.root + "/" + path)) { request, context in
      await server.answer(request, context, isForm: true, handler)
    }
  }
}
