import GatehouseServer
import HTTPTypes
import Hummingbird
import Logging

/// Answers a request of somebody who is signed in: finds out who it is, checks the form, runs the handler, and makes
/// of its outcome a page, a redirect or a file.
struct PageServer: Sendable {
  let door: CommandDoor
  let areas: [Area]
  let formPages = FormPages()

  init(_ door: CommandDoor, areas: [Area]) {
    self.door = door
    self.areas = areas
  }

  func answer(
    _ request: Request, _ context: WebContext, isForm: Bool, _ handler: ConsoleRouter.Handler
  ) async -> Response {
    let signIn = SignInState(door, request, context)
    let person: SignedIn
    let ended: Bool
    switch await signIn.find() {
    case .nobody: return signIn.askToSignIn(isForm: isForm)
    case .unknown(let failure):
      let words =
        isForm ? "Nothing was carried out. Send the form again in a moment." : "Load the page again in a moment."
      return OutsidePage(failure.heading, [failure.block, .text(.text(words))]).response(.serviceUnavailable)
    case .person(let found, let isOver): (person, ended) = (found, isOver)
    }
    let flash = ConsoleCookie.flash.value(in: request, context.cookies).flatMap(Flash.init(cookie:))
    let looked =
      person.workspaceCookie.value(in: request, context.cookies)?.percentDecoded() ?? person.firstWorkspace
    var workspace = looked
    var form = FormFields()
    var problem: Problem?
    do {
      if isForm {
        form = try await FormGuard.form(request, secret: person.ownToken)
        workspace = try FormSeal.workspace(of: form, sentBy: person)
      }
    } catch {
      problem = error as? Problem ?? Problem(.badRequest, "ERR", "\(error)")
    }
    let query = (try? FormFields(parsing: request.uri.query ?? "")) ?? FormFields()
    let visit = Visit(door, request, context, person, query: query, form: form, workspace: workspace, flash: flash)
    visit.hasLeft = ended
    visit.isElsewhere = workspace != looked
    var cookies: [String] = []
    if ended { cookies.append(ConsoleCookie.acting.field(nil, context.cookies)) }
    if let problem {
      return await show(Self.page(of: problem), visit, context, cookies)
    }
    do {
      return await respond(try await handler(visit), visit, context, cookies)
    } catch let failure as CommandFailure {
      // Not where the form was made for another workspace than the page would show.
      if isForm, !failure.isPassing, !visit.isElsewhere {
        let reply = FormReply(action: visit.target, sent: form, failure: failure)
        if let page = await formPages.show(reply, at: form["here"], request, context) { return page }
      }
      return await show(Self.page(of: failure, visit, isForm: isForm), visit, context, cookies)
    } catch let problem as Problem {
      return await show(Self.page(of: problem), visit, context, cookies)
    } catch {
      door.logger.error("a page of the console failed", metadata: ["error": "\(error)"])
      return await show(Self.page(of: Problem(.internalServerError, "ERR", "\(error)")), visit, context, cookies)
    }
  }

  private func respond(
    _ outcome: Outcome, _ visit: Visit, _ context: WebContext, _ cookies: [String]
  ) async -> Response {
    switch outcome {
    case .page(let page): return await show(page, visit, context, cookies)
    case .redirect(let address, let flash): return redirect(address.text, flash, visit, context, cookies)
    case .back(let target, let flash):
      return redirect(Address.isLocal(target) ? target : Address.root, flash, visit, context, cookies)
    case .file(let name, let type, let text):
      var response = Response.console(text, type: type, cookies: cookies)
      let safe = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) ? $0 : "-" })
      response.headers[.contentDisposition] = "attachment; filename=\"\(safe)\""
      return response
    }
  }

  private func redirect(
    _ address: String, _ flash: Flash?, _ visit: Visit, _ context: WebContext, _ cookies: [String]
  ) -> Response {
    var cookies = cookies + visit.cookies
    if var flash = flash ?? (visit.hasLeft ? Flash(Self.left, tone: .warn) : nil) {
      if visit.isElsewhere { flash.text += " This was in the workspace \(visit.workspace)." }
      flash.commands = visit.changes
      cookies.append(ConsoleCookie.flash.field(flash.cookie, context.cookies, seconds: 60))
    }
    return .redirect(toPage: address, cookies: cookies)
  }

  private func show(_ page: Page, _ visit: Visit, _ context: WebContext, _ cookies: [String]) async -> Response {
    var page = page
    if visit.hasLeft { page.blocks.insert(.notice(.warn, Self.left), at: 0) }
    var cookies = cookies + visit.cookies
    if visit.flash != nil { cookies.append(ConsoleCookie.flash.field(nil, context.cookies)) }
    return .html(await page.html(for: visit, areas), status: page.status, cookies: cookies)
  }

  private static let left = "You act as somebody else no longer: the impersonation has ended"

  // MARK: Errors

  private static func page(of failure: CommandFailure, _ visit: Visit, isForm: Bool) -> Page {
    var blocks = [failure.block]
    if isForm, failure.isPassing {
      let again = visit.form.pairs.filter { !FormSeal.fields.contains($0.name) }
      blocks += [
        .text(
          .text("Send it again: if it was carried out after all, it is not done twice, and you get the answer of then.")
        ),
        .buttons([.post("Send again", Address(raw: visit.target), again, .primary)]),
      ]
    } else if isForm {
      blocks.append(.text(.text("Nothing was changed. Go back to the form to send something else.")))
    }
    let title = failure.isPassing ? "Not now" : isForm ? "Not done" : "Not shown"
    return Page(title, status: failure.status, blocks)
  }

  private static func page(of problem: Problem) -> Page {
    Page(
      problem.status.reasonPhrase, status: problem.status,
      [.notice(.bad, "This did not work", [.text(problem.detail + ".")])])
  }
}
