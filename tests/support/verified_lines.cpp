#include "tests/support/verified_lines.hpp"

#include <algorithm>

#include "runtime/verification/log_verifier.hpp"

namespace cellos::test {

using namespace verification;

const line_result* verified_lines::add(std::string line) {
  lines_.push_back(std::make_unique<std::string>(std::move(line)));
  results_.push_back(std::make_unique<line_result>(verifier_.verify(*lines_.back())));
  return results_.back().get();
}

void verified_lines::keep(std::size_t count) {
  lines_.resize(count);
  results_.resize(count);
  verifier_.begin_block();
}

verification_report verify_whole(const checked_log& log, const verification_options& options) {
  log_verifier verifier{{{"log", 0}}, options, log.signatures_checked};
  const std::size_t whole = log.lines.size() - (log.unterminated ? 1 : 0);
  for (std::size_t i = 0; i < whole; ++i) verifier.take(0, i + 1, *log.lines[i]);
  if (log.unterminated) verifier.unterminated(0, log.lines.size(), 1);
  (void)verifier.merge();
  return verifier.report();
}

verification_report verify_text(std::string_view text, const key_list* keys, const verification_options& options) {
  verified_lines checked{keys};
  checked_log log;
  log.signatures_checked = keys != nullptr;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    log.lines.push_back(checked.add(std::string{text.substr(0, end)}));
    log.unterminated = end == text.size();
    text.remove_prefix(log.unterminated ? end : end + 1);
  }
  return verify_whole(log, options);
}

}  // namespace cellos::test
