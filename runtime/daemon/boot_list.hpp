#pragma once

#include <functional>
#include <string>
#include <vector>

namespace cellos {

/// One thing to be done before the daemon serves, and how it is undone.
struct boot_step {
  /// Completes "cannot ...".
  const char* name;
  /// Empty, or why the daemon cannot start. What it throws is a refusal too.
  std::function<std::string()> boot;
  std::function<void()> teardown = [] {};
};

struct boot_refusal {
  const char* step = "";
  /// Empty if every step was done.
  std::string cause;
};

/// Does the steps in order until one refuses, then calls `serve` if none did, and undoes in reverse order what was
/// done.
///
/// A step that refuses is not undone: it leaves nothing behind.
boot_refusal run_boot_list(const std::vector<boot_step>& steps, const std::function<void(const boot_refusal&)>& refuse,
                           const std::function<void()>& serve);

/// Why no further thread can be started, with the remedy.
std::string thread_shortage();

/// Starts `count` threads at once and lets them end. False if the system allows fewer.
bool threads_are_allowed(std::size_t count);

}  // namespace cellos
