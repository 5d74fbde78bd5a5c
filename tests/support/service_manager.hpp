#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/os/file_descriptor.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/wait.hpp"

namespace cellos::test {

/// The other end of sd_notify(3): processes started while it lives find it in their environment.
class service_manager {
 public:
  /// `watchdog`: notified in less than that, or zero for no watchdog.
  explicit service_manager(std::chrono::microseconds watchdog = {});
  service_manager(const service_manager&) = delete;
  service_manager& operator=(const service_manager&) = delete;
  ~service_manager();

  /// Everything reported since this object began, each a message of several lines.
  const std::vector<std::string>& reported();
  std::size_t count(std::string_view part);
  /// The n-th message with `part` in it; empty if it does not come in time.
  std::string wait_for(std::string_view part, std::size_t nth = 1, std::chrono::nanoseconds limit = test_timeout);

 private:
  temporary_directory home_;
  file_descriptor socket_;
  std::vector<std::string> reported_;
};

}  // namespace cellos::test
