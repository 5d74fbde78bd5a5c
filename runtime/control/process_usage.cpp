#include "runtime/control/process_usage.hpp"

#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace cellos {

namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::uint64_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::uint64_t total_pages = 0;
  std::uint64_t resident_pages = 0;
  statm >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::uint64_t open_descriptors() {
  std::error_code failed;
  std::uint64_t entries = 0;
  for (std::filesystem::directory_iterator each{"/proc/self/fd", failed}, end; !failed && each != end;
       each.increment(failed)) {
    ++entries;
  }
  return entries > 0 ? entries - 1 : 0;  // one of them is the directory's
}

/// Once: the program's own start is close enough, and needs no arithmetic with the boot time.
double started_at() {
  static const double at = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  return at;
}

}  // namespace

process_usage usage_of_this_process() {
  process_usage usage;
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0) usage.cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) usage.most_descriptors = limit.rlim_cur;
  usage.resident_bytes = resident_bytes();
  usage.open_descriptors = open_descriptors();
  usage.started_at = started_at();
  return usage;
}

}  // namespace cellos
