// The standard module of the C library leaves out these headers of Linux.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
