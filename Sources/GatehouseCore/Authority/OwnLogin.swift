/// What only somebody changes who has logged in as themselves: passwords, second factors, e-mail, usernames, keys, roles,
/// billing, and what guards them.
///
/// An impersonation must leave nothing behind that lets its actor in again, and must not hide that it was. Neither must an
/// API key: whoever finds one that leaked could make another, have a reset mailed to their own address, or weaken the
/// policies, and so outlive its deactivation. So what the one may not change, the other may not either, and there is one
/// list of it.
///
/// Who is asked stands in three places, and each is enforced in one:
/// - a permission that always asks (`Permission.ownLogin`), wherever a write uses it (`Turn.require`);
/// - a command that always asks (`CommandSpec.ownLogin`), before its body runs (`Turn.enforceNeed`);
/// - a field or an option that asks, in the body that reads it (`Turn.requireOwnLogin`).
public enum OwnLogin: Sendable, CaseIterable {
  case password, secondFactor, email, username, apiKey, service, roles, administration, managementLinks, billing
  case owner, home, identity, authority, securityPolicies, mails, webhooks, approval
  /// Only takes power away that a key gives, which any key may: so a leak can be ended with what has leaked.
  case endOfKey

  /// What cannot be changed, as refusals say it.
  var what: String {
    switch self {
    case .password: "a password"
    case .secondFactor: "a second factor"
    case .email: "an e-mail address"
    case .username: "a username"
    case .apiKey, .endOfKey: "an API key"
    case .service: "keys"
    case .roles: "roles"
    case .administration: "administration"
    case .managementLinks: "management links"
    case .billing: "billing"
    case .owner: "the owner of a workspace"
    case .home: "the home of a user"
    case .identity: "who somebody is"
    case .authority: "authority over the subscription"
    case .securityPolicies: "security policies"
    case .mails: "mails"
    case .webhooks: "webhooks"
    case .approval: "an approval"
    }
  }

  var allowsKeys: Bool { self == .endOfKey }
}

extension Permission {
  /// What of it takes a login of one's own; nil for what keys and impersonations may use, too.
  var ownLogin: OwnLogin? {
    switch self {
    case .userRename: .username
    case .userMerge, .userAnonymise: .identity
    case .userMove: .home
    case .authoritySet: .authority
    case .roleGrant, .roleDefine: .roles
    case .poolSet, .workspaceCreate, .workspacePlan: .billing
    case .securitySet: .securityPolicies
    case .workspaceTransfer: .owner
    case .serviceManage: .service
    // The commands say which of the credentials they change; inviting changes none.
    case .credentialSet: nil
    case .contactSet, .userSet, .userStatus, .userDelete, .userPurge, .userRead, .sessionRead, .sessionRevoke,
      .impersonate, .timerOwn, .timeRead, .timerStop, .entryCorrect, .productAccess, .licenceAssign, .memberManage,
      .employmentManage, .linkWrite, .userCreate, .productCreate, .poolRead, .accountManage, .fieldDefine,
      .workspaceSet,
      .auditRead, .feedRead, .mailHandle, .dataImport, .dataExport, .serverRead, .serverManage:
      nil
    }
  }
}

extension CommandSpec {
  /// What the command needs, for the reference.
  public var needText: String {
    guard effect == .write, let change = ownLogin ?? need.ownLogin else { return need.text }
    return need.text + "; not while impersonating" + (change.allowsKeys ? "" : ", nor with an API key")
  }
}

extension Need {
  /// What all permissions ask for, any of which is enough.
  fileprivate var ownLogin: OwnLogin? {
    guard case .permissions(let permissions, _, own: nil) = self, permissions.allSatisfy({ $0.ownLogin != nil }) else {
      return nil
    }
    return permissions.first?.ownLogin
  }
}

extension Turn {
  /// Refuses API keys and impersonations.
  public func requireOwnLogin(toChange change: OwnLogin) throws(Halt) {
    guard let principal = asUser else { return }
    if principal.isImpersonation {
      throw .refused(
        .rule(
          "impersonation", "\(change.what) cannot be changed while impersonating",
          instead: "end the impersonation first"
        ))
    }
    if principal.isByKey, !change.allowsKeys {
      throw .refused(
        .rule("apikey", "\(change.what) cannot be changed with an API key", instead: "use a session, by logging in"))
    }
  }
}
