import CMalloc

/// Gives memory back to the system that the allocator keeps for later.
///
/// Left to itself, glibc's allocator keeps what thousands of clients once needed: it gives back only what lies at the end
/// of a heap, and it learns from large allocations that are freed to keep ever larger ones.
enum FreeMemory {
  /// Allocations from this size on are the system's, and go back to it as soon as they are freed. That it stays so is the
  /// point: by default the limit rises to 32 MiB with what is freed.
  private static let mappedBytes: Int32 = 128 * 1024
  /// What may lie free at the end of a heap.
  private static let trimBytes: Int32 = 4 * 1024 * 1024

  /// Sets the allocator up, before there are threads.
  static func prepare() {
    mallopt(M_MMAP_THRESHOLD, mappedBytes)
    mallopt(M_TRIM_THRESHOLD, trimBytes)
  }

  /// So much must lie free, and so large a share of all, for it to be worth giving back.
  private static let worthwhileBytes = 16 * 1024 * 1024
  private static let worthwhileShare = 8

  /// Gives back what lies free in the middle of heaps, where that is much.
  ///
  /// Heaps are locked while the allocator looks through them. It takes about as long as to use the memory again would:
  /// a tenth of a millisecond for each MiB that is given back.
  static func giveBack() {
    let figures = mallinfo2()
    let free = Int(figures.fordblks)
    guard free >= worthwhileBytes, free >= Int(figures.arena) / worthwhileShare else { return }
    malloc_trim(0)
  }
}

extension ServerContext {
  /// How often it is looked whether memory can be given back.
  private static let memoryInterval: Duration = .seconds(5)

  /// Gives memory back from time to time, until the task is cancelled.
  func keepMemorySmall() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.memoryInterval)
      if Task.isCancelled { return }
      try? await onOwnThread { FreeMemory.giveBack() }
    }
  }
}
