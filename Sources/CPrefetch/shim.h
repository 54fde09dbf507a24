// Prefetches the cache line at an address without waiting for it. Any address is allowed. Swift has no intrinsic for
// it.
static inline void prefetch(const void *address) { __builtin_prefetch(address); }

// Tells the processor that the thread is spinning (`pause`, `yield`). Swift has no intrinsic for it either.
static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// A number that identifies the calling thread among the living ones: pthread_self() without the call.
static inline unsigned long thread_number(void) { return (unsigned long)__builtin_thread_pointer(); }
