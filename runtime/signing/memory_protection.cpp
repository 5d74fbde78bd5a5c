#include "runtime/signing/memory_protection.hpp"

#include <malloc.h>
#include <openssl/crypto.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <string.h>
#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace cellos {

namespace {

void* allocate(std::size_t bytes, const char*, int) { return std::malloc(bytes); }

void wipe_and_free(void* block, const char*, int) {
  if (block == nullptr) return;
  ::explicit_bzero(block, ::malloc_usable_size(block));
  std::free(block);
}

/// Not realloc, which leaves the former block as it is.
void* reallocate(void* block, std::size_t bytes, const char* file, int line) {
  if (block == nullptr) return std::malloc(bytes);
  if (bytes == 0) {
    wipe_and_free(block, file, line);
    return nullptr;
  }
  const std::size_t had = ::malloc_usable_size(block);
  if (bytes <= had && bytes > had / 2) return block;
  void* const moved = std::malloc(bytes);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, std::min(bytes, had));
  wipe_and_free(block, file, line);
  return moved;
}

}  // namespace

void protect_memory() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
  // Refused once OpenSSL has allocated; then it frees as it did.
  CRYPTO_set_mem_functions(allocate, reallocate, wipe_and_free);
  // Where OpenSSL keeps private numbers: locked and left out of core dumps, like our own secrets. Each TLS connection
  // has one of 32 bytes for as long as it lives, and without room for it none is made: this is for 16,384, more than a
  // collector takes (server_limits::connections).
  constexpr std::size_t arena = 512 * 1024;
  constexpr std::size_t least = 32;
  if (CRYPTO_secure_malloc_initialized() == 0) CRYPTO_secure_malloc_init(arena, least);
}

}  // namespace cellos
