// SHA256_Init and its like are deprecated for EVP, whose states live on the heap.
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// Macros with arguments, which Swift does not see.

/// No renegotiation, compression, tickets or resumption; the server chooses the cipher.
static const uint64_t gatehouse_tls_options = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                              SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF;

static inline void gatehouse_bio_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void gatehouse_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }
