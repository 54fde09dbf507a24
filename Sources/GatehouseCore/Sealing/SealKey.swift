/// Names one key of the folder's key store.
///
/// A person has one key as a contact and one for each login. A change names either the one or the other, and reading a
/// record must not need the state to find out who belongs together; so forgetting a person destroys several keys.
public struct SealKey: Sendable, Hashable {
  public enum Kind: UInt8, Sendable, CaseIterable {
    case contact = 1
    case user
    /// The kept answers that expire on one day (`answers(until:era:)`). The key is destroyed once they have expired,
    /// because an answer may say something of anybody.
    case answers
    /// A command that waits for a second person, about somebody who is yet to be created. The key is destroyed once it is
    /// decided: nobody knows later who that became.
    case approval
    /// What a webhook has: its secret and its address.
    case webhook
  }

  public let kind: Kind
  public let raw: UInt64

  public init(_ kind: Kind, _ raw: UInt64) {
    self.kind = kind
    self.raw = raw
  }

  public static func contact(_ id: ContactID) -> SealKey { SealKey(.contact, id.raw) }
  public static func user(_ id: UserID) -> SealKey { SealKey(.user, id.raw) }
  public static func approval(_ id: ApprovalID) -> SealKey { SealKey(.approval, id.raw) }
  public static func webhook(_ id: WebhookID) -> SealKey { SealKey(.webhook, UInt64(id)) }

  /// The key of the answers that expire at a time: the day since 1970-01-01, and in front of it how often the clock was
  /// set back (`ClockSet`). Days that come again have keys of their own: those of the first time may be destroyed already,
  /// and records sealed under them stay unreadable. So answers with smaller numbers are always older.
  public static func answers(until: Milliseconds, era: UInt32 = 0) -> SealKey {
    let day = min(UInt64(clamping: until / millisecondsOfDay), 1 << dayBits - 1)
    return SealKey(.answers, UInt64(min(era, lastEra)) << dayBits | day)
  }

  /// Enough for the days up to the year 9999, and with those of the eras no more than a serial number has.
  private static let dayBits: UInt64 = 22
  private static let lastEra: UInt32 = 1 << 10 - 1

  public static let millisecondsOfDay: Milliseconds = 86_400_000
}

extension SealKey: Comparable {
  public static func < (a: SealKey, b: SealKey) -> Bool { (a.kind.rawValue, a.raw) < (b.kind.rawValue, b.raw) }
}

extension SealKey: CustomStringConvertible {
  /// `contact #12`.
  public var description: String { "\(kind) #\(raw)" }
}

/// Under which keys something is sealed. What is about several people can be opened only while all of their keys exist.
public enum SealedUnder: Sendable, Equatable {
  case one(SealKey)
  case all([SealKey])

  public var keys: [SealKey] {
    switch self {
    case .one(let key): [key]
    case .all(let keys): keys
    }
  }
}

extension SealedUnder {
  /// Marks a list of keys; it is no kind.
  private static let several: UInt8 = 0

  func encode(into writer: inout ByteWriter) {
    switch self {
    case .one(let key): SealKeyForm.write(key, to: &writer)
    case .all(let keys):
      writer.byte(Self.several)
      ListForm<SealKeyForm>.write(keys, to: &writer)
    }
  }

  init(from reader: inout ByteReader) throws(CodingError) {
    var ahead = reader
    if try ahead.byte() == Self.several {
      reader = ahead
      self = .all(try ListForm<SealKeyForm>.read(from: &reader))
    } else {
      self = .one(try SealKeyForm.read(from: &reader))
    }
  }
}

enum SealKeyForm: FieldForm {
  static func write(_ value: SealKey, to writer: inout ByteWriter) {
    writer.byte(value.kind.rawValue)
    writer.varint(value.raw)
  }

  static func read(from reader: inout ByteReader) throws(CodingError) -> SealKey {
    SealKey(try reader.choice(), try reader.varint())
  }

  static func text(_ value: SealKey, in directory: Directory?) -> String? { value.description }

  static func addKeys(of value: SealKey, to keys: inout [UInt64]) {
    switch value.kind {
    case .contact: keys.append(RecordKey.of(ContactID(raw: value.raw)))
    case .user: keys.append(RecordKey.of(UserID(raw: value.raw)))
    case .answers, .approval, .webhook: break
    }
  }
}

extension PersonSubject {
  /// The keys of those whom a change is about; nil if it is about nobody.
  var sealing: SealedUnder? {
    switch self {
    case .user(let id): return id == .none ? nil : .one(.user(id))
    case .contact(let id): return id == .none ? nil : .one(.contact(id))
    case .people(let users, let contacts, _):
      let keys = users.map(SealKey.user) + contacts.map(SealKey.contact)
      return keys.isEmpty ? nil : .all(keys)
    }
  }
}
