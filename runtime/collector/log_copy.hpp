#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "messages/node_message.hpp"
#include "messages/segment_position.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/os/file_system.hpp"

namespace cellos {

/// One copy of a host's log: the host's lines, byte for byte, at the host's own positions. Its end is the cursor: there
/// is no other record of what was taken. Thread-safe.
///
/// A piece is a file of consecutive lines of one segment. Lines are appended only where they follow the end. What is
/// appended is durable once `settle` was called with a snapshot taken before the disk was synced; `cut_back` takes back
/// everything since.
class log_copy {
 public:
  struct opening {
    /// Null on failure.
    std::shared_ptr<log_copy> copy;
    std::error_code failure;
    /// Of a write that a crash or loss of power cut short.
    std::uint64_t torn_bytes = 0;
  };

  /// What is in the directory counts as durable: whoever opens a copy has synced the disk since the process began.
  static opening open(std::filesystem::path dir, file_system& files);

  enum class outcome : std::uint8_t { taken, does_not_follow, failed };
  struct append_result {
    outcome result = outcome::failed;
    std::error_code failure;
    /// Where the copy ends.
    segment_position end;
    /// Of the copy when the lines were taken: another one since, and they were taken back.
    std::uint64_t generation = 0;
    bool began_piece = false;
  };

  /// Whole lines of one segment, which begin at `from` and follow `after`. All of them or none.
  append_result append(segment_position after, segment_position from, std::string_view lines);

  /// Where the copy ends, with the hash of the line before; all zeros where lines are to begin behind a gap.
  log_cursor end(std::error_code& failure);
  segment_position end_position() const;

  /// The next lines begin here, in a piece of their own. False if that is not behind the end.
  bool skip_to(segment_position begin);
  /// No line was ever taken.
  bool is_empty() const;

  struct piece {
    segment_position begin;
    std::uint64_t bytes = 0;

    segment_position end() const { return {begin.segment, begin.offset + bytes}; }
    bool operator==(const piece&) const = default;
  };
  struct snapshot {
    std::uint64_t generation = 0;
    std::optional<piece> last;
    segment_position end;
    std::size_t pieces_begun = 0;
  };

  snapshot look() const;
  /// The disk was synced after `at` was taken. False if the copy was cut back meanwhile.
  bool settle(const snapshot& at);
  /// Takes back what is not durable. Where the disk refuses even that, nothing is appended until it can be done.
  void cut_back();
  std::uint64_t generation() const;
  segment_position durable_end() const;
  /// The last piece as far as it is durable; so are those before it. Nothing while none is.
  std::optional<piece> durable_piece() const;
  const std::filesystem::path& dir() const { return dir_; }

 private:
  log_copy(std::filesystem::path dir, file_system& files) : files_(files), dir_(std::move(dir)) {}

  std::error_code find_last(std::uint64_t& torn_bytes);
  std::error_code open_piece(segment_position begin, int flags);
  std::error_code begin_piece(segment_position begin, std::string_view lines);
  std::error_code go_on(std::string_view lines);
  std::error_code restore();
  std::error_code hash_last_line();

  file_system& files_;
  const std::filesystem::path dir_;
  mutable std::mutex mutex_;
  file_descriptor file_;
  std::optional<piece> last_;
  segment_position end_;
  /// Of the line that ends at `end_`; nothing where it was not read yet.
  std::optional<line_hash> line_before_;
  std::uint64_t generation_ = 0;

  std::optional<piece> durable_;
  segment_position durable_end_;
  /// Pieces begun since `durable_`.
  std::vector<segment_position> begun_;
  /// What is on disk is not what the members say.
  bool must_restore_ = false;
};

}  // namespace cellos
