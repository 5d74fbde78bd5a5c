// What is done to the recovery journal, and states of log and journal that never were together.

#include <algorithm>
#include <utility>

#include "tests/forge/line_forger.hpp"
#include "tests/forge/rewrite.hpp"

namespace cellos::forge {

namespace {

using outcome = std::optional<std::string>;

const std::string journal_file{journal_name};

void take_log_of(evidence_image& image, const evidence_image& state) {
  for (const std::string& name : image.segments()) image.files.erase(name);
  for (const std::string& name : state.segments()) image.files[name] = state.files.at(name);
}

void take_journal_of(evidence_image& image, const evidence_image& state) {
  image.files.erase(journal_file);
  if (state.has_journal()) image.files[journal_file] = state.files.at(journal_file);
}

outcome delete_journal(evidence_image& image, const loot&, randomness&) {
  if (image.files.erase(journal_file) == 0) return std::nullopt;
  return "the journal is gone";
}

outcome empty_journal(evidence_image& image, const loot&, randomness&) {
  if (image.journal_or_nothing().empty()) return std::nullopt;
  image.journal().clear();
  return "the journal is empty";
}

outcome truncate_journal(evidence_image& image, const loot&, randomness& random) {
  const std::size_t size = image.journal_or_nothing().size();
  if (size < 2) return std::nullopt;
  const std::size_t kept =
      one_in(random, 2) ? between(random, 1, size - 1) : size - between(random, 1, std::min<std::size_t>(size - 1, 64));
  image.journal().resize(kept);
  return "the journal has " + std::to_string(kept) + " of " + std::to_string(size) + " bytes";
}

outcome flip_in_journal(evidence_image& image, const loot&, randomness& random) {
  if (image.journal_or_nothing().empty()) return std::nullopt;
  std::string& journal = image.journal();
  const std::size_t at = below(random, journal.size());
  journal[at] = static_cast<char>(static_cast<unsigned char>(journal[at]) ^ (1u << below(random, 8)));
  return "byte " + std::to_string(at) + " of the journal is another";
}

outcome append_to_journal(evidence_image& image, const loot&, randomness& random) {
  if (image.journal_or_nothing().empty()) return std::nullopt;
  std::string& journal = image.journal();
  const std::size_t size = journal.size();
  const std::size_t from = below(random, size);
  const std::size_t bytes = between(random, 1, std::min<std::size_t>(size - from, 200));
  journal += journal.substr(from, bytes);
  return std::to_string(bytes) + " bytes of the journal, from " + std::to_string(from) + " on, stand at its end again";
}

outcome take_out_of_journal(evidence_image& image, const loot&, randomness& random) {
  const std::size_t size = image.journal_or_nothing().size();
  if (size < 16) return std::nullopt;
  const std::size_t from = below(random, size - 8);
  const std::size_t bytes = between(random, 1, size - from - 4);
  image.journal().erase(from, bytes);
  return std::to_string(bytes) + " bytes within the journal, from " + std::to_string(from) + " on, are gone";
}

outcome journal_of_other_host(evidence_image& image, const loot& from, randomness&) {
  if (!from.other_host.has_journal()) return std::nullopt;
  image.journal() = from.other_host.journal_or_nothing();
  return "the journal is another host's";
}

outcome odd_journal(evidence_image& image, const loot&, randomness& random) {
  if (!image.has_journal()) return std::nullopt;
  const bool fifo = one_in(random, 2);
  image.files.erase(journal_file);
  image.odd_entries[journal_file] = fifo ? odd_entry::fifo : odd_entry::directory;
  return std::string{"the journal is a "} + (fifo ? "FIFO" : "directory");
}

outcome linked_journal(evidence_image& image, const loot&, randomness&) {
  if (!image.has_journal()) return std::nullopt;
  image.odd_entries[journal_file] = odd_entry::link_to_copy;
  return "the journal is a link to its copy";
}

outcome rollback_journal(evidence_image& image, const loot& from, randomness& random) {
  const evidence_image& state = any_of(random, from.past.states);
  if (!state.has_journal() || state.journal_or_nothing() == image.journal_or_nothing()) return std::nullopt;
  take_journal_of(image, state);
  return "the journal is an earlier one";
}

outcome rollback_log(evidence_image& image, const loot& from, randomness& random) {
  const evidence_image& state = any_of(random, from.past.states);
  if (state.lines().size() == image.lines().size()) return std::nullopt;
  take_log_of(image, state);
  return "the log is an earlier one, of " + std::to_string(state.lines().size()) + " lines";
}

outcome rollback_apart(evidence_image& image, const loot& from, randomness& random) {
  const evidence_image& log = any_of(random, from.past.states);
  const evidence_image& journal = any_of(random, from.past.states);
  if (&log == &journal || log.lines().size() == journal.lines().size()) return std::nullopt;
  take_log_of(image, log);
  take_journal_of(image, journal);
  return "the log is as of " + std::to_string(log.lines().size()) + " lines, the journal as of " +
         std::to_string(journal.lines().size());
}

outcome rollback_whole(evidence_image& image, const loot& from, randomness& random) {
  if (from.past.states.size() < 3) return std::nullopt;
  const std::size_t which = between(random, 1, from.past.states.size() - 2);
  image = from.past.states[which];
  return "the directory is as it was of " + std::to_string(image.lines().size()) + " lines, as a whole";
}

outcome rollback_to_nothing(evidence_image& image, const loot&, randomness&) {
  image = {};
  return "the directory is empty, as it once was";
}

}  // namespace

const std::vector<rewrite>& journal_rewrites() {
  static const std::vector<rewrite> all{
      {"delete_journal", expectation::tampering, delete_journal},
      {"empty_journal", expectation::tampering, empty_journal},
      {"truncate_journal", expectation::tampering, truncate_journal},
      {"flip_in_journal", expectation::tampering, flip_in_journal},
      {"append_to_journal", expectation::open, append_to_journal},
      {"take_out_of_journal", expectation::tampering, take_out_of_journal},
      {"journal_of_other_host", expectation::tampering, journal_of_other_host},
      {"odd_journal", expectation::tampering, odd_journal},
      {"linked_journal", expectation::open, linked_journal},
      {"rollback_journal", expectation::tampering, rollback_journal},
      {"rollback_log", expectation::tampering, rollback_log},
      {"rollback_apart", expectation::tampering, rollback_apart},
      {"rollback_whole", expectation::earlier_state, rollback_whole},
      {"rollback_to_nothing", expectation::earlier_state, rollback_to_nothing},
  };
  return all;
}

}  // namespace cellos::forge
