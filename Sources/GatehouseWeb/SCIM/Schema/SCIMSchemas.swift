/// The schemas that Gatehouse has.
enum SCIMSchemas {
  static let user = "urn:ietf:params:scim:schemas:core:2.0:User"
  static let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
  static let group = "urn:ietf:params:scim:schemas:core:2.0:Group"
  /// The fields that the workspace has added (`FIELD.DEFINE`).
  static let fields = "urn:gatehouse:params:scim:schemas:extension:fields:2.0:User"
  static let listResponse = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
  static let patch = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
  static let search = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
  static let bulkRequest = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
  static let bulkResponse = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"

  static let groups = SCIMSchemaSet(
    core: SCIMSchema(
      id: group, name: "Group", description: "A role of the workspace, or one of its account groups",
      isExtension: false,
      attributes: [
        .text("displayName", "The name, which no other group has").with {
          $0.isRequired = true
          $0.uniqueness = "server"
        },
        .complex(
          "members", "The people in it",
          [
            .text("value", "The user's id").with {
              $0.mutability = .immutable
              $0.caseExact = true
            },
            SCIMAttribute("$ref", "The user's address").with {
              $0.kind = .reference
              $0.mutability = .immutable
              $0.caseExact = true
              $0.referenceTypes = ["User"]
            },
            .text("type", "Always User").with {
              $0.mutability = .immutable
              $0.canonicalValues = ["User"]
            },
          ]
        ).with {
          $0.isMultiValued = true
          $0.mostValues = .max
        },
      ]), extensions: [])

  /// - Parameters:
  ///   - fields: the fields that the workspace has added.
  ///   - required: the fields that its policy requires, by the names of `USER.SET`.
  static func users(fields: [SCIMAttribute], required: Set<String> = []) -> SCIMSchemaSet {
    let requiredAttributes = Set(
      SCIMUserFields.cardTexts.filter { $0.path.urn != nil && required.contains($0.field) }.map(\.path.name))
    let enterprise = Self.enterpriseUser.requiring(requiredAttributes)
    let added = SCIMSchema(
      id: Self.fields, name: "Fields", description: "The fields that the workspace has added", isExtension: true,
      attributes: fields)
    return SCIMSchemaSet(core: coreUser, extensions: [enterprise] + (fields.isEmpty ? [] : [added]))
  }

  private static let coreUser = SCIMSchema(
    id: user, name: "User", description: "A person with a login", isExtension: false,
    attributes: [
      .text("userName", "The name to log in with, the same in any case").with {
        $0.isRequired = true
        $0.uniqueness = "server"
      },
      .complex(
        "name", "The person's name",
        [
          .text("formatted", "The whole name"), .text("familyName", "The last name"),
          .text("givenName", "The first name"), .text("middleName", "The middle name"),
          .text("honorificPrefix", "What stands before it"), .text("honorificSuffix", "What stands behind it"),
        ]),
      .text("displayName", "The name to show"), .text("nickName", "What friends say"),
      SCIMAttribute("profileUrl", "A page about the person").with {
        $0.kind = .reference
        $0.referenceTypes = ["external"]
      },
      .text("title", "The job title"), .text("userType", "The kind of employment"),
      .text("preferredLanguage", "The language of mails, such as en or pt-br"),
      .text("locale", "How numbers and dates are written"), .text("timezone", "A zone of the IANA database"),
      .flag("active", "Whether the person may log in"),
      .text("password", "The password; taken only if the workspace's policy says so").with {
        $0.mutability = .writeOnly
        $0.returned = "never"
        $0.caseExact = true
      },
      .list(
        "emails", "E-mail addresses; mails go to the primary, else to the work one", types: ["work", "home", "other"]),
      .list(
        "phoneNumbers", "Phone numbers", types: ["work", "home", "mobile", "fax", "pager", "other"]),
      .list(
        "ims", "Addresses for instant messages", types: ["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"]),
      .list("photos", "Pictures", value: .reference, types: ["photo", "thumbnail"]),
      .list(
        "addresses", "Postal addresses", types: [],
        [
          .text("formatted", "The whole address"), .text("streetAddress", "Street and number"),
          .text("locality", "The city"), .text("region", "The state or region"), .text("postalCode", "The postal code"),
          .text("country", "The country"),
          SCIMAttribute("type", "What it is for").with { $0.canonicalValues = ["work", "home", "other"] },
          .flag("primary", "Whether it is the preferred one"),
        ]),
      SCIMAttribute.list(
        "groups", "The groups that the person is in", types: [],
        [
          .text("value", "The group's id"),
          SCIMAttribute("$ref", "The group's address").with {
            $0.kind = .reference
            $0.referenceTypes = ["Group"]
          },
          .text("display", "The group's name"), .text("type", "Always direct"),
        ]
      ).readOnly,
      SCIMAttribute.list("entitlements", "The products that are enabled, with their licences", types: []).readOnly,
      SCIMAttribute.list("roles", "The roles in Gatehouse", types: []).readOnly,
    ])

  private static let enterpriseUser = SCIMSchema(
    id: enterprise, name: "EnterpriseUser", description: "What an employer knows of a person", isExtension: true,
    attributes: [
      .text("employeeNumber", "The number as an employee"), .text("costCenter", "The cost centre"),
      .text("organization", "The organisation"), .text("division", "The division"),
      .text("department", "The department"),
      .complex(
        "manager", "Who looks after the person",
        [
          .text("value", "The manager's id").with { $0.caseExact = true }
        ]),
    ])
}
