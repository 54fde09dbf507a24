package import GatehouseCore
import GatehouseWire

extension CommandDoor {
  /// Where a front counts its requests.
  package var requests: RequestFigures { facts.requests }

  /// The server's figures, for who may ask for `INFO`.
  ///
  /// - Returns: an error as of a command if the caller may not.
  package func figures(for caller: Caller) async -> Result<[MetricFamily], Refusal> {
    guard let services else { return .failure(.notServing(isStopping: false)) }
    if let refusal = services.refusal(of: OwnedArguments(["INFO"]), for: caller.facts) {
      return .failure(Refusal(refusal))
    }
    return .success(await ServerFigures(services).families)
  }
}

extension Refusal {
  /// The refusal that a reply is.
  fileprivate init(_ reply: Reply) {
    guard case .error(let text) = RESPValue(reply) else { preconditionFailure("the reply refuses nothing") }
    let code = text.prefix { $0 != " " }
    self.init(Code(rawValue: String(code)) ?? .syntax, String(text.dropFirst(code.count + 1)))
  }
}
