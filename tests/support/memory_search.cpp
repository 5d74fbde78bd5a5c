#include "tests/support/memory_search.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "runtime/os/file_descriptor.hpp"

namespace cellos::test {

namespace {

struct mapping {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool readable = false;
  /// MADV_DONTDUMP.
  bool kept_out = false;
};

std::vector<mapping> mappings_of(pid_t process) {
  std::ifstream smaps{"/proc/" + std::to_string(process) + "/smaps"};
  if (!smaps) throw std::runtime_error("cannot read the mappings of process " + std::to_string(process));
  std::vector<mapping> found;
  for (std::string line; std::getline(smaps, line);) {
    mapping next;
    char readable = '-';
    if (std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %c", &next.begin, &next.end, &readable) == 3) {
      next.readable = readable == 'r';
      found.push_back(next);
    } else if (line.starts_with("VmFlags:") && !found.empty()) {
      found.back().kept_out = (line + ' ').find(" dd ") != std::string::npos;
    }
  }
  return found;
}

std::size_t count_in(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

std::size_t copies_in_memory(pid_t process, std::string_view bytes) {
  const file_descriptor memory{::open(("/proc/" + std::to_string(process) + "/mem").c_str(), O_RDONLY | O_CLOEXEC)};
  if (!memory) throw std::system_error{errno, std::system_category(), "memory of the process"};
  constexpr std::uint64_t most_at_once = 16u << 20;
  std::size_t count = 0;
  std::string content;
  for (const mapping& each : mappings_of(process)) {
    if (!each.readable || each.kept_out) continue;
    for (std::uint64_t at = each.begin; at < each.end; at += most_at_once) {
      const std::uint64_t wanted = std::min(each.end - at, most_at_once + bytes.size());
      content.resize(wanted);
      const ssize_t got = ::pread(memory.get(), content.data(), wanted, static_cast<off_t>(at));
      if (got > 0) count += count_in({content.data(), static_cast<std::size_t>(got)}, bytes);
    }
  }
  return count;
}

}  // namespace cellos::test
