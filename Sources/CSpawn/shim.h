// <spawn.h> declares it for GNU sources only, so Swift's Glibc module lacks it. The first parameter is a
// posix_spawn_file_actions_t: including its header here would make its types this module's and no longer Glibc's.
int posix_spawn_file_actions_addclosefrom_np(void *actions, int from);
