// <unistd.h> declares it for GNU sources only, so Swift's Glibc module lacks it.
#include <sys/types.h>
pid_t gettid(void);
