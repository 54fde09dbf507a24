#if Replication
  import GatehouseReplication
#endif
import GatehouseStorage

/// Where this program can share its log: on etcd, if it was built with the trait `Replication`.
enum SharedLogs {
  static var provider: (any SharedLogProvider)? {
    #if Replication
      EtcdProvider()
    #else
      nil
    #endif
  }
}
