#pragma once

#include <poll.h>

#include <chrono>
#include <ctime>

namespace cellos::test {

/// How long a test waits for what must happen. Only a broken program is waited for so long, even under a sanitizer.
inline constexpr std::chrono::seconds test_timeout{25};

/// Asks until `condition` holds. False if `limit` passes first. The only place where tests let time pass.
template <class Condition>
bool holds_within(std::chrono::nanoseconds limit, Condition condition) {
  constexpr timespec between_questions{0, 2'000'000};
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    ::ppoll(nullptr, 0, &between_questions, nullptr);
  }
  return true;
}

}  // namespace cellos::test
