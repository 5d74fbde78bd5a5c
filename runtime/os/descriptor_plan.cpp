#include "runtime/os/descriptor_plan.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace cellos {

namespace {

/// The daemon at rest has some 25 open; a rollover, a write of the state file, a reader of the log and a bind that is
/// under way need about as many again. Chosen here.
constexpr std::uint64_t least_reserve = 48;
constexpr std::uint64_t most_reserve = 512;
constexpr std::uint64_t least_http_connections = 4;
constexpr std::uint64_t http_servers = 2;
/// One cell that its guest has connected to.
constexpr std::uint64_t least_of_guests = 2;

}  // namespace

descriptor_plan plan_descriptors(std::uint64_t limit) {
  const std::uint64_t http = std::clamp<std::uint64_t>(limit / 16, least_http_connections, most_http_connections);
  const std::uint64_t kept = std::clamp(limit / 8, least_reserve, most_reserve) + http_servers * http;
  return {static_cast<std::size_t>(std::max(limit, kept + least_of_guests) - kept), static_cast<std::size_t>(http)};
}

std::uint64_t descriptor_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
}

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  return descriptor_limit();
}

}  // namespace cellos
