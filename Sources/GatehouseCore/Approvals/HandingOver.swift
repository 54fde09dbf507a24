/// B13 where a person leaves the reach of a policy. Who somebody is, is governed by the home alone, and so is who must agree
/// before it changes. So whoever hands the person over to another home hands over all that two people are asked for in the
/// old one: it takes two people as that itself does.
///
/// Three commands do so: `USER.MOVEHOME`, `USER.MERGE` of people of two homes, and `USER.CREATE` of a login elsewhere for a
/// contact that was there before.
extension Turn {
  /// Notes that the identity of a person leaves a home.
  func noteHandingOver(from old: WorkspaceID?, to new: WorkspaceID) {
    read(directory.lsn)
    guard let old, old != new, let permission = directory.workspace(old).policies.firstIdentityToApprove else { return }
    noteUse(permission, in: old)
  }
}

extension Policies {
  /// The first of the permissions over a person's identity that need two people.
  fileprivate var firstIdentityToApprove: Permission? {
    if approvalNeeds.isEmpty { return nil }
    return Permission.allCases.first { $0.domain == .identity && approvalNeeds.contains("\($0.name)") }
  }
}
