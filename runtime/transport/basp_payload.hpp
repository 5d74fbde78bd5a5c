#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/transport/basp_violation.hpp"

namespace cellos {

/// Reads the payload of a BASP message as it comes, and keeps none of it.
///
/// Only values pass: atoms, integers, truth values, texts and byte strings, in answers and ends also errors. Whatever
/// names an actor does not, since CAF would make a handle or a route of it. Every length is held against the bytes that
/// are left, since CAF allocates first and looks then.
class basp_payload {
 public:
  enum class content {
    /// An actor's message or request.
    message,
    /// An answer: a message that may be an error.
    answer,
    /// Why an actor ended.
    error,
  };

  basp_payload() = default;
  /// Of `bytes` bytes.
  basp_payload(content expected, std::uint64_t bytes);

  /// The next bytes of it, at most left().
  std::optional<basp_violation> take(std::span<const char> bytes);
  std::uint64_t left() const { return left_; }
  /// Once nothing is left: whether it ended where its content does.
  bool whole() const { return left_ == 0 && open_.empty(); }

 private:
  enum class part : std::uint8_t { skipped, zeros, length_of_text, length_of_names, names };
  struct expectation {
    part what;
    std::uint64_t bytes;
  };

  void await_part(part what, std::uint64_t bytes = 0) { open_.push_back({what, bytes}); }
  std::optional<basp_violation> take_length(char byte);
  std::optional<basp_violation> open_names();
  std::optional<basp_violation> open_value(std::string_view type, bool errors_allowed);

  /// What is to come, the next last.
  std::vector<expectation> open_;
  std::uint64_t left_ = 0;
  bool errors_allowed_ = false;
  std::uint64_t length_ = 0;
  unsigned length_bytes_ = 0;
  std::string names_;
};

}  // namespace cellos
