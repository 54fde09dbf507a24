#if Replication
  package import GatehouseStorage

  /// Opens shared logs on etcd.
  package struct EtcdProvider: SharedLogProvider {
    package init() {}

    package func open(
      _ settings: ReplicationSettings, folderID: Hash128
    ) async throws(SharedLogError) -> any SharedLog {
      EtcdLog(try await Self.connect(settings), folderID: folderID, settings)
    }

    package func folders(_ settings: ReplicationSettings) async throws(SharedLogError) -> [Hash128] {
      let client = try await Self.connect(settings)
      let result = await Self.folders(client)
      await client.close()
      return try result.get()
    }

    /// How many folders are looked for.
    private static let mostFolders = 8

    private static func folders(_ client: EtcdClient) async -> Result<[Hash128], SharedLogError> {
      let store = CheckedStore(client)
      var found: [Hash128] = []
      do throws(EtcdError) {
        // One key of each, then the first behind all of that folder's.
        while found.count < mostFolders,
          let pair = try await store.read([.range(LogKeys.folders(after: found.last), limit: 1)]).results[0].pairs.first
        {
          guard let folder = LogKeys.folder(of: pair.key) else {
            return .failure(
              .damaged("\(String(decoding: pair.key.prefix(128), as: UTF8.self)) is a key of something else"))
          }
          found.append(folder)
        }
      } catch {
        return .failure(SharedLogError(error))
      }
      return .success(found)
    }

    private static func connect(_ settings: ReplicationSettings) async throws(SharedLogError) -> EtcdClient {
      guard (1_000...Int(StoredLeader.mostMilliseconds)).contains(settings.leaseMilliseconds) else {
        throw .refused("a lease of \(settings.leaseMilliseconds) ms is not between 1 s and 60 s")
      }
      let address = try EtcdAddress(settings.address)
      let credentials = try EtcdCredentials(settings, usesTLS: address.usesTLS)
      // A member that does not answer must not cost a leader its lease: there is time to ask another.
      let patience = Duration.milliseconds(min(2_000, settings.leaseMilliseconds / 4))
      let client = try EtcdClient(address, credentials, patience: patience)
      do throws(EtcdError) {
        try check(try await client.version(), address)
      } catch {
        await client.close()
        throw SharedLogError(error)
      }
      return client
    }

    /// Transactions and watches are used that etcd has since version 3.4.
    private static func check(_ version: String, _ address: EtcdAddress) throws(EtcdError) {
      let parts = version.split(separator: ".").prefix(2).compactMap { Int($0) }
      guard parts.count == 2, (parts[0], parts[1]) >= (3, 4) else {
        throw EtcdError(
          kind: .refused, endpoint: address.members[0].description,
          message: "its version is \"\(version)\", and 3.4 or newer is needed")
      }
    }
  }
#endif
