/// What a login needs beside the password.
enum FactorDemand {
  case nothing
  /// A code of the user's app, or a recovery code.
  case code
  /// A policy wants a second factor, and the user has none: the login begins one.
  case enrolment
}

/// A code that was right, and what is used up by it.
enum FactorMatch {
  case step(Int64)
  case recovery(Digest)
}

extension Turn {
  /// What the login of a user to a product needs beside the password.
  ///
  /// Who has a second factor always needs it. That somebody must have one is said by the home, which governs identity, and
  /// by the product's workspace, which says who comes in there (W5).
  ///
  /// A temporary password begins none (P13): somebody else knows it, and would enrol a device of theirs. It opens a session
  /// that can only change the password, and the login with the person's own begins the second factor.
  func factorDemand(of user: UserReference, for product: ProductID) -> FactorDemand {
    if let factor = user.cell.state.secondFactors.factor(of: user.serial) {
      read(factor.lsn)
      if factor.secret != nil { return .code }
    }
    let row = user.cell.state.credentials.row(of: user.serial)
    read(row.lsn)
    if row.isTemporary { return .nothing }
    let workspaces = [user.home ?? mainWorkspace, directory.facts(ofProduct: product).workspace]
    return workspaces.contains { isSecondFactorAsked(of: user, in: $0) } ? .enrolment : .nothing
  }

  private func isSecondFactorAsked(of user: UserReference, in id: WorkspaceID) -> Bool {
    let workspace = directory.workspace(id)
    switch workspace.policies.secondFactor {
    case .off: return false
    case .all: return true
    case .administrators:
      if workspace.owner == user.id { return true }
      if user.administeredAccesses.contains(where: { directory.product($0.product)?.workspace == id }) { return true }
      return user.grants.contains { grant in
        let within = directory.workspace(of: grant.scope)
        return (within == nil || within == id) && grant.isInForce(at: now) && directory.isAdministrators(grant.role)
      }
    }
  }

  /// Whether a word is a code of a user's app that was not accepted before, or one of the recovery codes.
  ///
  /// - Parameter isPending: whether the app has the secret that was handed out last, which is yet to be confirmed.
  func match(_ word: UnsafeRawBufferPointer, _ user: UserReference, isPending: Bool = false) -> FactorMatch? {
    guard let factor = user.cell.state.secondFactors.factor(of: user.serial) else { return nil }
    read(factor.lsn)
    guard let secret = isPending ? factor.pending : factor.secret else { return nil }
    let last = isPending ? 0 : factor.lastStep
    if !secret.isBlank, let step = TimeCode.step(of: word, secret, after: last, at: timesOfCodes, hmacSHA1) {
      return .step(step)
    }
    if isPending || word.count > Limits.recoveryCodeBytes { return nil }
    let typed = RecoveryCode.digest(word, of: user.id, folderSecret, digest)
    return factor.recovery.first { $0.matches(typed) }.map { .recovery($0) }
  }

  /// The times whose codes count: the server's, and the wall clock's where that is behind.
  ///
  /// The server's time never goes back. After it has followed a clock that was wrong it is ahead of everybody's, for as long
  /// as the clock was; the apps show the codes of the real time, and nobody with a second factor could log in.
  private var timesOfCodes: [Milliseconds] {
    let lag = wallLag()
    return lag < TimeCode.period ? [now] : [now, max(0, now - lag)]
  }

  /// Uses up a code that was right. It is durable before anything is answered.
  func use(_ match: FactorMatch, of user: UserReference) {
    switch match {
    case .step(let step): emit(SecondFactorUsed(user.id, step: step))
    case .recovery(let code):
      let left = (user.cell.state.secondFactors.factor(of: user.serial)?.recovery.count ?? 1) - 1
      emit(SecondFactorUsed(user.id, recovery: code, left: left))
    }
  }

  // MARK: Enrolling

  /// Makes a secret for a user's app.
  /// - Returns: the address that the app reads.
  func beginSecondFactor(of user: UserReference) -> String {
    let secret = TimeSecret(entropy.draw(), entropy.draw())
    emit(SecondFactorBegun(user.id, secret))
    let home = directory.workspace(user.home ?? mainWorkspace)
    let issuer = home.policies.issuer.isEmpty ? home.name : home.policies.issuer
    return TimeCode.address(secret, issuer: issuer, account: user.username)
  }

  /// Puts the secret that was handed out last in force.
  /// - Returns: the recovery codes, which are shown once.
  func confirmSecondFactor(of user: UserReference, step: Int64) -> [String] {
    let codes = (0..<RecoveryCode.count).map { _ in SecretText.groups(entropy.draw()) }
    let digests = codes.map { code in
      var code = code
      return code.withUTF8 { RecoveryCode.digest(UnsafeRawBufferPointer($0), of: user.id, folderSecret, digest) }
    }
    emit(SecondFactorConfirmed(user.id, step: step, recovery: digests))
    return codes
  }

  /// An array of the recovery codes.
  func show(recovery codes: [String]) {
    reply.array(codes.count)
    for code in codes { reply.secret(code) }
  }

  // MARK: Challenges

  /// Lets a login that has shown the right password wait for a code.
  func issueChallenge(
    to user: UserReference, _ product: ProductID, _ wish: SessionWish, enrols: Bool
  ) -> (token: SecretText.Whole, expires: Milliseconds) {
    let token = SecretText.challenge(user.id, entropy.draw())
    var challenge = LoginChallenge()
    challenge.digest = token.withBytes(digest)
    challenge.product = product
    challenge.service = connection.service ?? 0
    challenge.expires = now + Limits.challengeLife
    challenge.enrols = enrols
    challenge.wish = wish
    emit(ChallengeIssued(user.id, challenge))
    return (token, challenge.expires)
  }

  /// The login that a word is the challenge of, if this service may go on with it.
  func challenge(_ word: UnsafeRawBufferPointer) throws(Halt) -> (user: UserReference, challenge: LoginChallenge)? {
    guard let id = SecretText.user(ofChallenge: word), let user = try user(id) else { return nil }
    read(user.cell.state.lsn)
    guard let found = user.cell.state.secondFactors.challenge(digest(word), of: user.serial), now < found.expires,
      found.service == connection.service ?? 0
    else { return nil }
    return (user, found)
  }
}
