// <unistd.h> declares these for GNU sources only, so Swift's Glibc module lacks them. A header with types must not be
// included here: they would become this module's and no longer Glibc's.
#include <sys/syscall.h>
int gettid(void);
long syscall(long number, ...);

// The kernel's struct sched_attr. The C library has none of this before 2.41.
struct scheduling {
  unsigned int size, policy;
  unsigned long long flags;
  int nice;
  unsigned int priority;
  unsigned long long runtime, deadline, period;
};

// Sets the calling thread's nice value, in the class SCHED_OTHER, and how many nanoseconds its turns on a core should last.
// Kernels before 6.12 ignore that. 0 if it worked.
static inline int set_time_slice(unsigned long long nanoseconds, int nice) {
  struct scheduling attributes = {.size = sizeof attributes, .nice = nice, .runtime = nanoseconds};
  return (int)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

// How many nanoseconds the calling thread's turns should last; 0 where the kernel does not say.
static inline unsigned long long time_slice(void) {
  struct scheduling attributes = {0};
  return syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) == 0 ? attributes.runtime : 0;
}
