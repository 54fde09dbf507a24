extension People {
  /// The user's access to a product, if it ever had any.
  @inline(__always)
  public func access(of serial: Int, to product: ProductID) -> ProductAccess? {
    let row = users[serial]
    if row.flags.contains(.manyProducts) {
      return allAccess(of: serial).first { $0.product == product }
    }
    if row.access.0 >> 16 == product { return ProductAccess(compact: row.access.0) }
    if row.access.1 >> 16 == product { return ProductAccess(compact: row.access.1) }
    return nil
  }

  public func allAccess(of serial: Int) -> [ProductAccess] {
    let row = users[serial]
    if row.flags.contains(.manyProducts) {
      let list = try? users.details(of: serial).decode(UserTag.access) { (reader) throws(CodingError) in
        try reader.list { (reader) throws(CodingError) in try reader.access() }
      }
      return (list ?? []).compactMap { $0 }
    }
    return [row.access.0, row.access.1].filter { $0 != 0 }.map { ProductAccess(compact: $0) }
  }

  mutating func setAccess(of serial: Int, _ list: [ProductAccess], _ lsn: LSN) {
    let filed = filed(user: serial)
    defer { refile(filed) }
    let compact = list.compactMap(\.compact)
    let fitsRow = list.count <= 2 && compact.count == list.count
    if !fitsRow || users[serial].flags.contains(.manyProducts) {
      var details = users.details(of: serial)
      if fitsRow {
        details.set(UserTag.access, UnsafeRawBufferPointer(start: nil, count: 0))
      } else {
        details.encode(UserTag.access) { $0.list(list) { $0.access($1) } }
      }
      users.setDetails(of: serial, details.bytes)
    }
    users.update(serial) {
      if fitsRow { $0.flags.remove(.manyProducts) } else { $0.flags.insert(.manyProducts) }
      $0.access = fitsRow ? (compact.first ?? 0, compact.count > 1 ? compact[1] : 0) : (0, 0)
    }
    touch(user: serial, lsn)
  }
}
