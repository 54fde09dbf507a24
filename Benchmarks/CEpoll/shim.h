// The standard module of the C library leaves out these two headers of Linux.
#include <sys/epoll.h>
#include <sys/timerfd.h>
