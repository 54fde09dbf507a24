// What the thread sanitizer does not see by itself in a program of Swift. tools/sanitize links it in.
//
// A contended Mutex of the Synchronization module is taken and given back in the kernel, through functions of a library
// that is not instrumented. Each is wrapped by the linker (--wrap) and says what it orders. Swift hands them the mutex
// in the register for self.

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

// Swift 6.3 says of some properties that they are changed in place, but names their value where it means their
// address; the sanitizer would write there. The memory itself is watched all the same.
void __wrap___tsan_external_write(void *address, void *caller, void *tag) {}
