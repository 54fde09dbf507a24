// Swift has no word for this instruction: it asks for a line of memory and does not wait for it. Any address is allowed.
static inline void prefetch(const void *address) { __builtin_prefetch(address); }
