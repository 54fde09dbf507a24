import CMalloc

/// Returns memory to the system that the allocator would keep.
///
/// Left to itself, glibc's allocator keeps what thousands of clients once needed: it returns only memory at the end of
/// a heap, and each large allocation that is freed raises the size from which it maps memory separately.
enum FreeMemory {
  /// Allocations from this size on are mapped separately, and returned as soon as they are freed. Setting it also fixes
  /// it: by default it rises up to 32 MiB.
  private static let mappedBytes: Int32 = 128 * 1024
  /// How much free memory may stay at the end of a heap.
  private static let trimBytes: Int32 = 4 * 1024 * 1024

  /// Configures the allocator. Call it before there are threads.
  static func prepare() {
    mallopt(M_MMAP_THRESHOLD, mappedBytes)
    mallopt(M_TRIM_THRESHOLD, trimBytes)
  }

  /// As much as a visit to a partition may need.
  private static let roomBytes = 32 * 1024

  /// Lets the thread's heap grow now, before a partition is held. It grows by single pages otherwise, and each takes a
  /// system call that lasts a tenth of a millisecond on a virtual machine at times.
  static func makeRoom() {
    let room = malloc(roomBytes)
    // So that the compiler does not leave both out.
    _ = malloc_usable_size(room)
    free(room)
  }

  /// Memory is returned only if at least this much is free, and at least this share of the heap (1 / 8).
  private static let worthwhileBytes = 16 * 1024 * 1024
  private static let worthwhileShare = 8

  /// Returns free memory in the middle of heaps, if there is much of it.
  ///
  /// Heaps are locked meanwhile. It takes about as long as using the memory again would: a tenth of a millisecond per
  /// MiB returned.
  static func giveBack() {
    let figures = mallinfo2()
    let free = Int(figures.fordblks)
    guard free >= worthwhileBytes, free >= Int(figures.arena) / worthwhileShare else { return }
    malloc_trim(0)
  }
}

extension ServerContext {
  /// How often to check whether memory can be returned.
  private static let memoryInterval: Duration = .seconds(5)

  /// Returns memory from time to time, until the task is cancelled.
  func keepMemorySmall() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.memoryInterval)
      if Task.isCancelled { return }
      passwordHasher.threads.giveBackMemory()
      try? await onOwnThread { FreeMemory.giveBack() }
    }
  }
}
