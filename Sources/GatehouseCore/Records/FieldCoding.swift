/// A visitor that encodes the fields.
extension ByteWriter: FieldVisitor {
  public typealias Failure = Never

  @inline(__always)
  public mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) {
    Form.write(value, to: &self)
  }

  public mutating func later() {}
}

/// A visitor that decodes the fields.
public struct FieldDecoder: FieldVisitor {
  public typealias Failure = CodingError

  /// Which fields the input may have.
  enum Extent {
    /// The input ends with the fields: later ones may be absent, and bytes after the known ones are fields of a newer
    /// version.
    case bounded
    /// The fields of the first version, followed by something else.
    case firstVersion
    /// All fields, followed by something else.
    case whole
  }

  var reader: ByteReader
  private let extent: Extent
  private var isLater = false

  init(_ reader: ByteReader, _ extent: Extent) {
    self.reader = reader
    self.extent = extent
  }

  @inline(__always)
  public mutating func value<Form: FieldForm>(_ value: inout Form.Value, as form: Form.Type) throws(CodingError) {
    if isLater, extent == .firstVersion || extent == .bounded && reader.isAtEnd { return }
    value = try Form.read(from: &reader)
  }

  public mutating func later() { isLater = true }
}

extension Change {
  public func encodeFields(into writer: inout ByteWriter) {
    var fields = self
    fields.visit(&writer)
  }

  public static func read(from decoder: inout FieldDecoder) throws(CodingError) -> AnyChange {
    try Self(from: &decoder).carried
  }

  @inline(__always)
  init(from decoder: inout FieldDecoder) throws(CodingError) {
    self.init()
    try visit(&decoder)
  }

  /// Encodes the change: its code, the length of its fields with the critical flag, its fields.
  @inline(__always)
  func encode(into writer: inout ByteWriter) {
    writer.byte(Self.code)
    let start = writer.beginBlock()
    encodeFields(into: &writer)
    writer.endBlock(start, flag: Self.isCritical)
  }
}

extension AnyChange {
  func encode(into writer: inout ByteWriter) {
    switch self {
    case .sessionOpened(let change):
      // Fast path: only impersonations say something of a person.
      if change.impersonation == nil { change.encode(into: &writer) } else { change.encodeSealing(into: &writer) }
    case .sessionEnded(let change): change.encode(into: &writer)
    case .sessionSeen(let change): change.encode(into: &writer)
    case .timerStarted(let change): change.encode(into: &writer)
    case .timerStopped(let change): change.encode(into: &writer)
    case .partition(let change): change.encodeSealing(into: &writer)
    case .directory(let change): change.encodeSealing(into: &writer)
    case .folder(let change): change.encodeSealing(into: &writer)
    case .unknown(let change):
      writer.byte(change.isSealed ? SealedChange.code : change.code)
      let start = writer.beginBlock()
      change.payload.withUnsafeBytes { writer.raw($0) }
      writer.endBlock(start, flag: false)
    }
  }

  /// Decodes a change of a version 2 record.
  ///
  /// - Parameter seals: opens what is sealed. Without it, a sealed change cannot be read.
  init(from reader: inout ByteReader, _ seals: (any SealKeeper)? = nil) throws(CodingError) {
    let code = try reader.byte()
    let (fields, isCritical) = try reader.flaggedBlock()
    if code == SealedChange.code {
      guard let seals else { throw fields.failure("sealed personal data, and no keys to open it") }
      self = try Self.open(fields, isCritical: isCritical, seals, of: &reader)
      return
    }
    var decoder = FieldDecoder(fields, .bounded)
    if let known = try Self.read(code, from: &decoder) {
      self = known
      reader.end(decoder.reader)
    } else if isCritical {
      throw Self.isOfNewerVersion(code, fields)
    } else {
      self = .unknown(UnknownChange(code: code, payload: fields.rest))
      reader.skip()
    }
  }

  /// Decodes a change of a version 1 record, which has neither lengths nor flags.
  init(fromFirstVersion reader: inout ByteReader) throws(CodingError) {
    let code = try reader.byte()
    var decoder = FieldDecoder(reader, .firstVersion)
    guard let known = try Self.read(code, from: &decoder) else { throw Self.isUnknown(code, reader) }
    self = known
    reader = decoder.reader
  }

  /// Decodes the fields of a kind; nil if the kind is unknown. The kinds of the hot path have cases here, because the
  /// compiler can specialise and inline those, but not what is looked up in the table.
  private static func read(_ code: UInt8, from decoder: inout FieldDecoder) throws(CodingError) -> AnyChange? {
    switch code {
    case SessionOpened.code: .sessionOpened(try SessionOpened(from: &decoder))
    case SessionEnded.code: .sessionEnded(try SessionEnded(from: &decoder))
    case SessionSeen.code: .sessionSeen(try SessionSeen(from: &decoder))
    case TimerStarted.code: .timerStarted(try TimerStarted(from: &decoder))
    case TimerStopped.code: .timerStopped(try TimerStopped(from: &decoder))
    default: try ChangeTable.kind(code)?.read(from: &decoder)
    }
  }

  static func isOfNewerVersion(_ code: UInt8, _ fields: ByteReader) -> CodingError {
    fields.failure("a change of kind \(code) from a newer version of Gatehouse")
  }

  static func isUnknown(_ code: UInt8, _ reader: ByteReader) -> CodingError {
    reader.failure("a change of the unknown kind \(code)")
  }
}
