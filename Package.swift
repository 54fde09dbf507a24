// swift-tools-version: 6.2
import PackageDescription

/// Upcoming features enabled in every target of this package.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// The API between GatehouseCore and GatehouseWire is public, while the other targets use `package`: the compiler
/// inlines across modules only what is public, and the hot path of a request crosses three of them.
let package = Package(
  name: "gatehouse",
  products: [
    .executable(name: "gatehouse", targets: ["gatehouse"]),
    .executable(name: "gatehousectl", targets: ["gatehousectl"]),
    .executable(name: "gatehouse-bench", targets: ["gatehouse-bench"]),
  ],
  traits: [
    .trait(
      name: "Replication",
      description: "A log that several nodes share, on etcd. Without it, nothing of gRPC is compiled or linked."),
    .default(enabledTraits: ["Replication"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
    .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.0"),
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.0"),
  ],
  targets: [
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CEdit", pkgConfig: "libedit", providers: [.apt(["libedit-dev"])]),
    .systemLibrary(name: "CEpoll"),
    .systemLibrary(name: "CPrefetch"),
    .systemLibrary(name: "CMalloc"),
    .systemLibrary(name: "CThreads"),
    .systemLibrary(name: "CSpawn"),
    .systemLibrary(name: "CCrypt", pkgConfig: "libcrypt", providers: [.apt(["libcrypt-dev"])]),
    .systemLibrary(name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
    .systemLibrary(name: "CZxcvbn", providers: [.apt(["libzxcvbn-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CQrencode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .target(
      name: "GatehouseCore",
      dependencies: [
        "CPrefetch", .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "HeapModule", package: "swift-collections"),
      ],
      swiftSettings: settings),
    .target(
      name: "GatehouseWire",
      dependencies: ["COpenSSL", "GatehouseCore", .product(name: "NIOCore", package: "swift-nio")],
      swiftSettings: settings),
    .target(
      name: "GatehouseStorage",
      dependencies: [
        "COpenSSL", "CSpawn", "CThreads", "CZstd", "GatehouseCore", .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: settings),
    .target(
      name: "GatehouseReplication",
      dependencies: [
        "GatehouseCore", "GatehouseStorage",
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "GRPCCore", package: "grpc-swift-2", condition: .when(traits: ["Replication"])),
        .product(
          name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport",
          condition: .when(traits: ["Replication"])),
      ],
      swiftSettings: settings),
    .target(
      name: "GatehouseServer",
      dependencies: [
        "CArgon2", "CCrypt", "CEpoll", "CMalloc", "CZxcvbn", "GatehouseCore", "GatehouseWire", "GatehouseStorage",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: settings),
    .target(
      name: "GatehouseWeb",
      dependencies: [
        "CCurl", "CQrencode", "GatehouseCore", "GatehouseServer", "GatehouseWire",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Mustache", package: "swift-mustache"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      resources: [.embedInCode("Console/Resources")],
      swiftSettings: settings),
    .target(
      name: "GatehouseCommandLine",
      dependencies: ["GatehouseWire", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: settings),
    .executableTarget(
      name: "gatehouse",
      dependencies: [
        "CEdit", "GatehouseCommandLine", "GatehouseCore", "GatehouseStorage", "GatehouseWire", "GatehouseServer",
        "GatehouseWeb", .target(name: "GatehouseReplication", condition: .when(traits: ["Replication"])),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "gatehousectl",
      dependencies: [
        "GatehouseCommandLine", "GatehouseCore", "GatehouseWire", "GatehouseStorage",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "tools/gatehousectl",
      swiftSettings: settings),
    .executableTarget(
      name: "gatehouse-bench",
      dependencies: [
        "GatehouseCommandLine", "GatehouseCore", "GatehouseWire", "GatehouseStorage", "CEpoll",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Histogram", package: "hdrhistogram-swift"),
        .product(name: "NIOCore", package: "swift-nio"),
      ],
      path: "Benchmarks/gatehouse-bench",
      swiftSettings: settings),
    .target(
      name: "GatehouseTestSupport",
      dependencies: ["CSpawn", "GatehouseCore", "GatehouseWire"],
      path: "Tests/GatehouseTestSupport",
      swiftSettings: settings),
    .testTarget(
      name: "GatehouseCoreTests", dependencies: ["GatehouseCore", "GatehouseTestSupport"],
      exclude: ["Records/Golden"], swiftSettings: settings),
    .testTarget(
      name: "GatehouseWireTests",
      dependencies: [
        "GatehouseCore", "GatehouseWire", "GatehouseTestSupport", .product(name: "NIOCore", package: "swift-nio"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "GatehouseStorageTests", dependencies: ["CThreads", "GatehouseCore", "GatehouseStorage"],
      exclude: ["Golden/folders"],
      swiftSettings: settings),
    .testTarget(
      name: "GatehouseReplicationTests",
      dependencies: ["GatehouseCore", "GatehouseReplication", "GatehouseStorage", "GatehouseTestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "GatehouseServerTests",
      dependencies: [
        "GatehouseCore", "GatehouseWire", "GatehouseStorage", "GatehouseServer", "GatehouseTestSupport",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "GatehouseWebTests",
      dependencies: [
        "GatehouseCore", "GatehouseServer", "GatehouseWeb", "GatehouseWire", "GatehouseTestSupport",
      ],
      swiftSettings: settings),
    .testTarget(
      name: "GatehouseBrowserTests", dependencies: ["GatehouseTestSupport"], exclude: ["Pictures", "Scripts"],
      swiftSettings: settings),
    .testTarget(
      name: "GatehouseProgramTests",
      dependencies: [
        "gatehouse", "GatehouseWire", "GatehouseServer", "GatehouseTestSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "GatehouseCtlTests",
      dependencies: ["gatehousectl", "GatehouseCore", "GatehouseWire", "GatehouseStorage", "GatehouseTestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "GatehouseIntegrationTests",
      dependencies: ["GatehouseCore", "GatehouseWire", "GatehouseTestSupport"],
      exclude: ["Resources"],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
