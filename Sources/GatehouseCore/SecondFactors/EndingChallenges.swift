/// A login that waits for the second factor is half a login: the password was right, and the person was allowed in. When
/// either does not hold any more it ends for good, as a session does: it does not come back with the status, the access or an
/// undo. What ends sessions for their lost right ends these, in the same record (`endWhatLostItsRight`).
extension Turn {
  /// Ends those of a user that would be refused now, or after the decision's changes.
  func endChallengesThatLostTheirRight(of user: UserReference, in outlook: Outlook) {
    let person = outlook.person(user)
    for challenge in user.cell.state.secondFactors.challenges(of: user.serial) {
      let isRefused =
        user.loginDenial(to: challenge.product, in: directory, at: now, since: challenge.lsn) != nil
        || person.loginDenial(to: challenge.product, in: outlook.directory, at: now, since: challenge.lsn) != nil
      if isRefused { end(challenge, of: user) }
    }
  }

  /// Ends all of a user's: the password with which they began is gone.
  func endChallenges(of user: UserReference) {
    for challenge in user.cell.state.secondFactors.challenges(of: user.serial) { end(challenge, of: user) }
  }

  private func end(_ challenge: LoginChallenge, of user: UserReference) {
    let isOver = changes.contains { ($0.known as? any ChallengeOver)?.digest == challenge.digest }
    if !isOver { emit(ChallengeEnded(user.id, challenge.digest)) }
  }
}
