#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cellos::forge {

inline constexpr std::string_view journal_name = "recovery.journal";

/// One line of a segment, and what an attacker reads of it. Of a line that is no event, `chain` is empty.
struct log_line {
  /// Without the newline.
  std::string text;
  /// File name.
  std::string segment;
  std::string chain{};
  std::uint64_t sequence = 0;
  /// Without the common prefix.
  std::string type{};

  bool is_of_host() const { return chain.find('/') == chain.rfind('/'); }
};

/// What stands in a file's place and is none.
enum class odd_entry : std::uint8_t { directory, fifo, link_to_copy };

/// An evidence directory as values: what whoever may write to it can take away, keep and put back.
class evidence_image {
 public:
  /// Regular files directly in `dir`; files of the daemon's own besides are left out.
  static evidence_image read(const std::filesystem::path& dir);
  /// `dir` holds this and nothing else afterwards.
  void write(const std::filesystem::path& dir) const;

  /// Names of the log's segments, in order.
  std::vector<std::string> segments() const;
  std::vector<log_line> lines() const;
  /// Each line goes to the segment that it names; every segment there is stays, be it empty.
  void set_lines(const std::vector<log_line>& lines);

  bool has_journal() const { return files.contains(std::string{journal_name}); }
  std::string& journal() { return files[std::string{journal_name}]; }
  std::string journal_or_nothing() const;

  /// By name.
  std::map<std::string, std::string> files;
  std::map<std::string, odd_entry> odd_entries;
};

bool is_segment_name(std::string_view name);
std::string segment_name(std::uint64_t number);
std::uint64_t segment_number(std::string_view name);

/// The event without its spelling: the same for a line that was spaced or escaped otherwise.
std::string canonical(const std::string& line);

}  // namespace cellos::forge
