#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Names of subjects. A NATS client checks nothing: a blank in a subject makes two fields of it, a line break another
/// command. So nothing gets into one but what these functions let through.
namespace cellos {

/// `text` as one token: `A-Z a-z 0-9 _ -` as they are, every other byte as `%XX`. Nothing of an empty text.
std::optional<std::string> subject_token(std::string_view text);

/// Tokens of `A-Z a-z 0-9 _ -` with dots between them.
bool is_subject_prefix(std::string_view text);

/// `A-Z a-z 0-9 _ -`, 1 to 128.
bool is_stream_name(std::string_view text);

/// The subjects of one host's lines.
///
///     PREFIX.HOST.CELL     a line about a cell
///     PREFIX.HOST.%40host  any other: of the host's own chain ("@" is in no cell's id)
///     PREFIX.HOST.%40batch many lines in one message
class event_subjects {
 public:
  /// `prefix` is one; `host_id` is not empty.
  event_subjects(std::string_view prefix, std::string_view host_id);

  /// Of a line of the log. Valid until the next call.
  std::string_view of(std::string_view line);
  const std::string& batches() const { return batches_; }
  /// What all of them begin with, the dot included.
  const std::string& begin() const { return begin_; }
  /// All that this host ever uses, as a subscription spells it.
  const std::string& all() const { return all_; }

 private:
  std::string begin_;
  std::string host_;
  std::string batches_;
  std::string all_;
  /// Of the cell that the last line was about.
  std::string cell_;
  std::string of_cell_;
};

}  // namespace cellos
