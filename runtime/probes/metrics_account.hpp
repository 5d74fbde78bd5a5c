#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace cellos {

/// What a VMM may make its host keep. A document of Firecracker 1.x with ten devices has some 16 KiB and 700 values.
struct metrics_limits {
  std::size_t document_bytes = std::size_t{64} << 10;
  std::size_t values = 2048;
  std::size_t name_bytes = 96;
};

/// Adds up Firecracker's metrics: one JSON document a line, in which most numbers count since the document before, and
/// some are what a moment was. Pure: takes bytes in pieces of any size, believes none of them.
class metrics_account {
 public:
  explicit metrics_account(const metrics_limits& limits = {});
  ~metrics_account();
  metrics_account(const metrics_account&) = delete;
  metrics_account& operator=(const metrics_account&) = delete;

  void take(std::string_view bytes);
  /// What follows does not follow what came before: bytes up to the next line's end belong to no document.
  void skip_to_line_end();
  /// What follows begins a line.
  void begin_file();

  /// Documents that were added up.
  std::uint64_t documents() const { return documents_; }
  /// Lines that were none, or too long.
  std::uint64_t malformed_lines() const { return malformed_lines_; }
  /// Values that were left out: there are too many of them, or their names are none of Firecracker's.
  std::uint64_t values_left_out() const { return values_left_out_; }
  /// The last one, whole, as RFC 8785 writes it. Empty before.
  const std::string& last_document() const { return last_document_; }
  /// By `group.name`: sums of what counts, the last of what is a moment's. No value is ever negative.
  const std::map<std::string, std::uint64_t, std::less<>>& values() const { return values_; }

  /// Whether Firecracker writes the value of a moment under this name, not what was added since the last document.
  static bool is_stored(std::string_view name);

 private:
  struct parser;

  void take_line(std::string_view line);
  bool take_document(std::string_view line);
  void add(std::string_view name, std::uint64_t value);

  metrics_limits limits_;
  std::unique_ptr<parser> parser_;
  /// Of a line whose end has not come.
  std::string partial_;
  bool skips_line_ = false;
  std::uint64_t documents_ = 0;
  std::uint64_t malformed_lines_ = 0;
  std::uint64_t values_left_out_ = 0;
  std::string last_document_;
  std::map<std::string, std::uint64_t, std::less<>> values_;
};

}  // namespace cellos
