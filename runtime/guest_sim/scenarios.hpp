#pragma once

#include <span>
#include <string_view>

namespace cellos::guest_sim {

class simulated_guest;

/// A way to behave, as `--scenario` names it.
struct scenario {
  std::string_view name;
  std::string_view meaning;
  /// False: `--rate` has no say.
  bool paced = true;
  /// Makes no sense in version 1.0.
  bool needs_loss_counters = false;
  /// `--silent-after`, `--hold` and `--resume` mean something.
  bool falls_silent = false;
  /// Called connected; returns when all is sent or stopping was asked for.
  void (*play)(simulated_guest& guest);
};

/// In the order `--list` shows them; the first is the default.
std::span<const scenario> scenarios();

/// The scenario of that name, whatever its case, or null.
const scenario* find_scenario(std::string_view name);

}  // namespace cellos::guest_sim
