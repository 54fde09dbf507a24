// Tells the thread sanitizer about Swift's contended mutexes, which it cannot see by itself. tools/sanitize links it
// in.
//
// A contended Mutex of the Synchronization module is locked and unlocked in the kernel, by functions of a library that
// is not instrumented. The linker wraps each of them (--wrap), and the wrapper reports the acquire or release. Swift
// passes the mutex in the register for self.

void __tsan_acquire(void *address);
void __tsan_release(void *address);

#define SELF void *self __attribute__((swift_context))

#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

__attribute__((swiftcall)) void real_lock(unsigned thread, SELF) __asm__("__real_" LOCK);
__attribute__((swiftcall)) void real_unlock(SELF) __asm__("__real_" UNLOCK);
__attribute__((swiftcall)) void seen_lock(unsigned thread, SELF) __asm__("__wrap_" LOCK);
__attribute__((swiftcall)) void seen_unlock(SELF) __asm__("__wrap_" UNLOCK);

__attribute__((swiftcall)) void seen_lock(unsigned thread, SELF) {
  real_lock(thread, self);
  __tsan_acquire(self);
}

__attribute__((swiftcall)) void seen_unlock(SELF) {
  __tsan_release(self);
  real_unlock(self);
}

// For some properties, Swift 6.3 reports an in-place change with the property's value instead of its address, and the
// sanitizer would write to that. The memory itself is still checked.
void __wrap___tsan_external_write(void *address, void *caller, void *tag) {}
