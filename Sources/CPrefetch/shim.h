// Swift has no word for this instruction: it asks for a line of memory and does not wait for it. Any address is allowed.
static inline void prefetch(const void *address) { __builtin_prefetch(address); }

// Nor for this one: it tells the processor that a thread looks at the same word again and again.
static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// A number of the calling thread that no other living thread has; pthread_self() without the call.
static inline unsigned long thread_number(void) { return (unsigned long)__builtin_thread_pointer(); }
