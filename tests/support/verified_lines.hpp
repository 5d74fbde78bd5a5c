#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/signing/key_list.hpp"
#include "runtime/verification/line_verifier.hpp"
#include "runtime/verification/report.hpp"

namespace cellos::test {

/// One file's lines, checked once each, so that a log that differs in few of them is checked as a whole in no time.
class verified_lines {
 public:
  explicit verified_lines(const key_list* keys) : verifier_(keys) {}

  /// `line` is without its newline.
  const verification::line_result* add(std::string line);
  /// Forgets what was added after the first `count` lines, which have our own form.
  void keep(std::size_t count);

 private:
  verification::line_verifier verifier_;
  std::vector<std::unique_ptr<std::string>> lines_;
  std::vector<std::unique_ptr<verification::line_result>> results_;
};

struct checked_log {
  /// Of one file, named `log`.
  std::vector<const verification::line_result*> lines;
  /// The last line has no newline.
  bool unterminated = false;
  bool signatures_checked = true;
};

verification::verification_report verify_whole(const checked_log& log,
                                               const verification::verification_options& options = {});

/// The same for text.
verification::verification_report verify_text(std::string_view text, const key_list* keys,
                                              const verification::verification_options& options = {});

}  // namespace cellos::test
