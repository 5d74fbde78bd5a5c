#include "tests/support/judged_lines.hpp"

#include <algorithm>

#include "runtime/verification/log_judge.hpp"

namespace cellos::test {

using namespace verification;

const line_verdict* judged_lines::add(std::string line) {
  lines_.push_back(std::make_unique<std::string>(std::move(line)));
  verdicts_.push_back(std::make_unique<line_verdict>(judge_.judge(*lines_.back())));
  return verdicts_.back().get();
}

void judged_lines::keep(std::size_t count) {
  lines_.resize(count);
  verdicts_.resize(count);
  judge_.begin_block();
}

verification_report judge_whole(const judged_log& log, const verification_options& options) {
  log_judge judge{{{"log", 0}}, options, log.signatures_checked};
  const std::size_t whole = log.lines.size() - (log.unterminated ? 1 : 0);
  for (std::size_t i = 0; i < whole; ++i) judge.take(0, i + 1, *log.lines[i]);
  if (log.unterminated) judge.unterminated(0, log.lines.size(), 1);
  (void)judge.settle();
  return judge.report();
}

verification_report judge_text(std::string_view text, const key_list* keys, const verification_options& options) {
  judged_lines judged{keys};
  judged_log log;
  log.signatures_checked = keys != nullptr;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    log.lines.push_back(judged.add(std::string{text.substr(0, end)}));
    log.unterminated = end == text.size();
    text.remove_prefix(log.unterminated ? end : end + 1);
  }
  return judge_whole(log, options);
}

}  // namespace cellos::test
