#include <curl/curl.h>

// Functions with variable arguments, which Swift cannot call.

static inline CURLcode gatehouse_curl_set_long(CURL *easy, CURLoption option, long value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode gatehouse_curl_set_pointer(CURL *easy, CURLoption option, const void *value) {
  return curl_easy_setopt(easy, option, value);
}

static inline CURLcode gatehouse_curl_set_write(CURL *easy, curl_write_callback body) {
  return curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body);
}

static inline CURLcode gatehouse_curl_set_open(CURL *easy, curl_opensocket_callback open) {
  return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open);
}

static inline CURLcode gatehouse_curl_set_prerequisite(CURL *easy, curl_prereq_callback check) {
  return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, check);
}

static inline long gatehouse_curl_status(CURL *easy) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

/// Seconds that the answer's Retry-After asks for; 0 for none.
static inline curl_off_t gatehouse_curl_retry_after(CURL *easy) {
  curl_off_t seconds = 0;
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
  return seconds;
}

static inline void *gatehouse_curl_private(CURL *easy) {
  void *value = NULL;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &value);
  return value;
}

/// How a transfer ended, if the message says that one did.
static inline CURLcode gatehouse_curl_result(const CURLMsg *message) { return message->data.result; }
