#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "actors/ports.hpp"
#include "runtime/evidence/open_chains.hpp"

namespace cellos {

/// Passes appends on to another log, notes where they leave which chain, and says how long each took and that it was
/// made. Thread-safe if the observers are.
class observed_log final : public evidence_log {
 public:
  using on_timed = std::function<void(std::chrono::nanoseconds)>;
  using on_appended = std::function<void()>;

  observed_log(evidence_log& log, open_chains& open, on_timed timed, on_appended appended)
      : log_(log), open_(open), timed_(std::move(timed)), appended_(std::move(appended)) {}

  using evidence_log::append;
  std::error_code append(std::string_view lines, std::span<const chain_head> heads) override {
    return observe(heads, [&] { return log_.append(lines, heads); });
  }
  std::error_code append_from_reserve(std::string_view lines, std::span<const chain_head> heads) override {
    return observe(heads, [&] { return log_.append_from_reserve(lines, heads); });
  }

  std::size_t largest_append() const override { return log_.largest_append(); }
  void await_room(std::size_t bytes) override { log_.await_room(bytes); }
  std::uint64_t current_segment() const override { return log_.current_segment(); }

 private:
  template <class Append>
  std::error_code observe(std::span<const chain_head> heads, Append&& append_lines) {
    const auto began = std::chrono::steady_clock::now();
    open_.announce(heads);
    const std::error_code refused = append_lines();
    timed_(std::chrono::steady_clock::now() - began);
    if (refused) return refused;
    open_.take(heads);
    appended_();
    return refused;
  }

  evidence_log& log_;
  open_chains& open_;
  on_timed timed_;
  on_appended appended_;
};

}  // namespace cellos
