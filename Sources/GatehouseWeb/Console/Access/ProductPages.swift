import GatehouseWire
import HTTPTypes

/// Products and their seats: how many were bought, who holds them, and since when; freed in place.
struct ProductPages: ConsolePages {
  static let address = Address("products")

  var areas: [Area] { [Area("Products and seats", .access, Self.address, needs: ["pool.read", "product.create"])] }

  /// The page of a product. Its name may have a slash, so that it stands in the query.
  static func address(of product: String) -> Address { Address("product").adding("name", product) }

  func add(to console: ConsoleRouter) {
    console.get("products") { visit in .page(try await Self.list(visit)) }
    console.get("product") { visit in .page(try await Self.product(visit)) }
    console.post("products/new") { visit in
      let name = visit.form["product"]
      let product = visit.workspace == "main" || name.contains("/") ? name : "\(visit.workspace)/\(name)"
      let reply = try await visit.write("PRODUCT.CREATE", product)
      return .redirect(Self.address(of: product), await visit.done(reply, "The product \(product) is there."))
    }
    console.post("product/seats") { visit in
      let (product, type) = (visit.form["product"], visit.form["type"])
      let command = ["POOL.SET", product, type, visit.form["seats"]]
      let loss = LossPage(
        title: "Set the seats of \(product)?", submit: "Set the seats", command: command,
        action: Address("product", "seats"), fields: ["product", "type", "seats"].map { ($0, visit.form[$0]) },
        cancel: Self.address(of: product), area: Self.address)
      if let page = try await loss.page(visit) { return .page(page) }
      let reply = try await visit.write(command)
      return .redirect(
        Self.address(of: product), await visit.done(reply, "\(type) has \(visit.form["seats"]) seats now."))
    }
    console.get("product/free") { visit in .page(try await Self.freeing(visit)) }
    console.post("product/free") { visit in
      let (user, product) = (visit.form["user"], visit.form["product"])
      let reply = try await visit.write("LICENCE.REMOVE", user, product)
      return .redirect(
        Self.holders(product, visit.form["type"]), await visit.done(reply, "The seat of \(visit.form["name"]) is free.")
      )
    }
  }

  private static func holders(_ product: String, _ type: String) -> Address {
    address(of: product).adding("type", type)
  }

  // MARK: The list

  private static func list(_ visit: Visit) async throws -> Page {
    let products = (try await visit.read("PRODUCT.LIST").elements ?? []).filter {
      $0["workspace"]?.string == visit.workspace
    }
    let pools = try await visit.readIfAllowed("POOL.LIST")?.elements ?? []
    let rows = products.map { product -> Table.Row in
      let name = product["product"]?.string ?? ""
      let own = pools.filter { $0["product"]?.string == name }
      let seats: [Cell] = own.enumerated().flatMap { index, pool -> [Cell] in
        let type = pool["type"]?.string ?? ""
        return (index == 0 ? [] : [.newline]) + [meter(pool), .text(" \(type == "*" ? "every access" : type)")]
      }
      return Table.Row([
        [.link(name, address(of: name))], seats.isEmpty ? [.muted("no licence needed")] : seats,
        [.time(product["created"]?.integer)],
      ])
    }
    let table = Table(
      caption: "Products of \(visit.workspace)", columns: [.init("Product"), .init("Seats"), .init("Since")],
      rows: rows, empty: .empty("No product yet", "A product is an application that people log in to."))
    var blocks = [table.block]
    if await visit.holds("product.create", overAllOf: visit.workspace) {
      let form = Form(
        Address("products", "new"), layout: .row,
        fields: [Field("product", "Name", hint: "Lower case, such as payroll.", required: true)], submit: "Add")
      blocks.append(.section("Add a product", [form.block]))
    }
    return Page("Products and seats", area: address, intro: [.text("Of the workspace \(visit.workspace).")], blocks)
  }

  private static func meter(_ pool: RESPValue) -> Cell {
    .meter(pool["used"]?.integer ?? 0, of: pool["bought"]?.integer ?? 0)
  }

  // MARK: One product

  private static func product(_ visit: Visit) async throws -> Page {
    let name = visit.query["name"]
    let pools = try await visit.read("POOL.LIST", name).elements ?? []
    let maySet = await !visit.verdict("POOL.SET", name, "*", "1").isForbidden
    let rows = pools.map { pool -> Table.Row in
      let type = pool["type"]?.string ?? ""
      return Table.Row(
        [[.strong(type)], [meter(pool)], [.value(pool["used"])], [.value(pool["bought"])]],
        buttons: [.link("Who holds them?", holders(name, type))])
    }
    let table = Table(
      caption: "Seats of \(name)",
      columns: [
        .init("Licence type"), .init("Taken"), .init("Used", isNumeric: true), .init("Bought", isNumeric: true),
      ],
      rows: rows,
      empty: .empty("No licence is needed", "Enabled access is enough. Say how many seats were bought to change that."))
    var blocks: [Block] = [.section("Seats", [table.block])]
    if let type = visit.query["type"].nonEmpty { blocks.append(try await holders(of: name, type, visit)) }
    if maySet { blocks.append(seatsForm(name)) }
    blocks.append(
      .buttons([
        .link("People with access", Address("people").adding("product", name)),
        .link("Why can't they log in?", WhyPages.address.adding("product", name)),
      ]))
    return Page(name, area: address, blocks)
  }

  private static func seatsForm(_ product: String) -> Block {
    let form = Form(
      Address("product", "seats"), layout: .row,
      fields: [
        Field("type", "Licence type", hint: "* counts every enabled access.", required: true),
        Field("seats", "Seats bought", .number, required: true),
      ], hidden: [("product", product)], submit: "Save")
    return .section("How many seats were bought?", [form.block])
  }

  private static func holders(of product: String, _ type: String, _ visit: Visit) async throws -> Block {
    let cursor = visit.query["cursor"].nonEmpty
    let reply = try await visit.read(
      ["POOL.HOLDERS", product, type, "COUNT", "50"] + (cursor.map { ["CURSOR", $0] } ?? []))
    var rows: [Table.Row] = []
    for holder in reply.elements?.last?.elements ?? [] {
      let (id, name) = (holder["user"]?.integer ?? 0, holder["username"]?.string ?? "")
      let free = Address("product", "free").adding("product", product).adding("type", type)
        .adding("user", "#\(id)").adding("name", name)
      // Access itself takes the seats of `*`.
      let button =
        type == "*"
        ? nil
        : Button.asked(
          await visit.verdict("LICENCE.REMOVE", "#\(id)", product), .link("Free the seat", free), "Free the seat")
      rows.append(
        .init(
          [
            [.link(name, Address("people", String(id)))], [.time(holder["since"]?.integer)],
            [.time(holder["last-login"]?.integer)],
          ], buttons: button.map { [$0] } ?? []))
    }
    var table = Table(
      caption: "Holders of \(type)", columns: [.init("Person"), .init("Since"), .init("Last login")], rows: rows,
      empty: .empty("Nobody holds one", "All seats of \(type) are free."))
    let next = reply.elements?.first?.string ?? "0"
    table.next = next == "0" ? nil : holders(product, type).adding("cursor", next)
    table.first = cursor == nil ? nil : holders(product, type)
    return .section(
      "Who holds \(type)", id: "holders", note: "Who has not logged in for long may not need it.", [table.block])
  }

  private static func freeing(_ visit: Visit) async throws -> Page {
    let fields = ["user", "product", "type", "name"].map { (name: $0, value: visit.query[$0]) }
    let confirmation = Confirmation(
      "Free the seat", ["LICENCE.REMOVE", visit.query["user"], visit.query["product"]],
      to: Address("product", "free"), hidden: fields, cancel: holders(visit.query["product"], visit.query["type"]),
      undo: "The licence can be assigned again while a seat is left.")
    return Page(
      "Free the seat of \(visit.query["name"])?", area: address, try await confirmation.blocks(visit))
  }
}
