#include "runtime/verification/log_files.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "messages/chain_name.hpp"
#include "messages/escaped_text.hpp"
#include "runtime/lines/logged_event.hpp"
#include "runtime/segments/copy_name.hpp"
#include "runtime/segments/segment_name.hpp"
#include "runtime/verification/copy_merge.hpp"
#include "runtime/verification/file_text.hpp"

namespace cellos::verification {

namespace {

namespace fs = std::filesystem;

std::string refusal(const fs::path& path, const std::string& problem) {
  return "\"" + escaped(path.string(), 512) + "\" " + problem;
}

/// By what makes one log: of an evidence directory its path, of a copy whose it is and its name.
using directory_map = std::map<fs::path, std::set<fs::path>>;
using copy_map = std::map<std::pair<std::string, std::string>, std::set<fs::path>>;

std::vector<fs::path> directories_in(const fs::path& directory) {
  std::vector<fs::path> found;
  std::error_code failure;
  for (fs::directory_iterator entry{directory, failure}; !failure && entry != fs::directory_iterator{};
       entry.increment(failure)) {
    std::error_code vanished;
    if (entry->is_directory(vanished) && !entry->is_symlink(vanished)) found.push_back(entry->path());
  }
  return found;
}

bool is_copy(const fs::path& directory) {
  std::error_code unlisted;
  return !list_pieces(directory, unlisted).empty();
}

void add_copy(const fs::path& directory, copy_map& copies) {
  copies[{directory.parent_path().filename().native(), directory.filename().native()}].insert(directory);
}

/// The copies of a host, or of all hosts. False if there are none.
bool add_copies_in(const fs::path& directory, copy_map& copies, int depth = 2) {
  bool found = false;
  for (const fs::path& each : directories_in(directory)) {
    if (parse_copy_name(each.filename().native())) {
      // A fork that was begun and never had a line is none.
      if (is_copy(each)) add_copy(each, copies);
      found = true;
    } else if (depth > 1) {
      found |= add_copies_in(each, copies, depth - 1);
    }
  }
  return found;
}

/// Empty, or what is wrong. In a directory only what the log itself named is the log: an export or a backup beside it
/// is not.
std::string list(const fs::path& directory, directory_map& logs, copy_map& copies, std::vector<std::string>& notes) {
  std::error_code failure;
  const log_listing found = list_log(directory, failure);
  if (failure) return refusal(directory, "cannot be listed: " + failure.message());
  if (found.segments.empty()) {
    if (is_copy(directory)) {
      add_copy(directory, copies);
      return {};
    }
    if (add_copies_in(directory, copies)) return {};
    return refusal(directory, "holds no segment of a log (evidence-<20 digits>.jsonl)");
  }
  for (const segment_on_disk& each : found.segments)
    logs[directory].insert(directory / segment_file_name(each.segment));
  for (const auto& other : found.others) {
    notes.push_back(
        refusal(directory / other, "is no segment of the log and was not read; name it to have it verified"));
  }
  return {};
}

/// What a forwarder keeps beside the log; empty where there is none.
std::string log_id_in(const fs::path& directory) {
  constexpr std::uint64_t digits = 32;
  auto text = file_text{directory / "log-id"}.read(0, digits).value_or(std::string{});
  const auto name = parse_copy_name(text);
  return name ? text : std::string{};
}

/// By the name of its chain.
void add_host_of(std::string_view line, std::set<std::string, std::less<>>& into) {
  logged_event event;
  if (!read_canonical_line(line.substr(0, line.find('\n')), event)) return;
  if (const auto chain = parse_chain_name(event.chain)) into.emplace(chain->host);
}

/// Of the first line and of the last.
std::set<std::string, std::less<>> hosts_in(const std::vector<log_range>& ranges) {
  constexpr std::uint64_t longest_line = std::uint64_t{256} << 10;
  std::set<std::string, std::less<>> hosts;
  add_host_of(file_text{ranges.front().path}.read(0, longest_line).value_or(std::string{}), hosts);
  const file_text last{ranges.back().path};
  add_host_of(last.line_ending_at(last.whole_lines()).value_or(std::string{}), hosts);
  return hosts;
}

/// Of one log's directory, or of files elsewhere.
void add_log(const fs::path& log, const std::set<fs::path>& paths, std::uint32_t number, verified_logs& listing) {
  placed_log placed{log, {}, log_id_in(log), {}, {}};
  for (const fs::path& path : paths) {
    listing.files.push_back({path, number, 0, 0});
    if (const auto segment = segment_of(path.filename().native())) placed.ranges.push_back({path, {*segment, 0}, 0});
  }
  if (placed.ranges.empty()) return;
  placed.hosts = hosts_in(placed.ranges);
  listing.logs.push_back(std::move(placed));
}

/// Empty, or what could not be read.
std::string add_merged_copy(const std::string& host, const std::string& name, const std::set<fs::path>& directories,
                            std::uint32_t number, verified_logs& listing) {
  std::vector<piece_file> pieces;
  for (const fs::path& directory : directories) {
    std::error_code failure;
    for (const segment_position begin : list_pieces(directory, failure)) {
      const file_text text{directory / piece_file_name(begin)};
      // What a crash cut short counts for nothing here; whoever reads the file says so.
      pieces.push_back({text.path(), begin, text.whole_lines()});
    }
    if (failure) return refusal(directory, "cannot be listed: " + failure.message());
  }
  const auto copy = parse_copy_name(name);
  listing.logs.push_back(
      {*directories.begin(), {host}, copy ? name.substr(0, name.find('.')) : std::string{}, copy ? copy->fork : 0, {}});
  return copy_merge{number, listing}.merge(std::move(pieces));
}

/// Empty, or why the argument is nothing that can be read more than once, from its beginning.
std::string refuse_stream(const fs::path& argument) {
  if (argument == "-") return refusal(argument, "is no file: verify reads logs more than once; write it to one first");
  std::error_code unknown;
  switch (fs::status(argument, unknown).type()) {
    case fs::file_type::fifo:
    case fs::file_type::socket:
    case fs::file_type::character:
      return refusal(argument, "is a pipe or a device: verify reads logs more than once; write it to a file first");
    default: return {};
  }
}

}  // namespace

std::variant<verified_logs, std::string> find_log_files(const std::vector<fs::path>& arguments) {
  verified_logs listing;
  // By the directory, or the file itself.
  directory_map logs;
  copy_map copies;
  for (const fs::path& argument : arguments) {
    if (std::string problem = refuse_stream(argument); !problem.empty()) return problem;
    std::error_code failure;
    const fs::path path = fs::canonical(argument, failure);
    if (failure) return refusal(argument, "cannot be read: " + failure.message());
    if (fs::is_directory(path, failure)) {
      std::string problem = list(path, logs, copies, listing.notes);
      if (!problem.empty()) return problem;
    } else if (!fs::is_regular_file(path, failure)) {
      return refusal(argument, "is neither a file nor a directory");
    } else if (segment_of(path.filename().native())) {
      logs[path.parent_path()].insert(path);
    } else {
      logs[path].insert(path);
    }
  }
  // A file of a directory that was named as a whole belongs to that one.
  for (auto log = logs.begin(); log != logs.end();) {
    const auto directory = logs.find(log->first.parent_path());
    const bool within = directory != logs.end() && directory != log && directory->second.contains(log->first);
    log = within ? logs.erase(log) : std::next(log);
  }
  std::uint32_t number = 0;
  for (const auto& [log, paths] : logs) {
    add_log(log, paths, number++, listing);
  }
  for (const auto& [name, directories] : copies) {
    if (std::string problem = add_merged_copy(name.first, name.second, directories, number++, listing);
        !problem.empty()) {
      return problem;
    }
  }
  return listing;
}

}  // namespace cellos::verification
