#include "runtime/verification/log_files.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <system_error>

#include "messages/escaped_text.hpp"
#include "runtime/segments/segment_name.hpp"

namespace cellos::verification {

namespace {

namespace fs = std::filesystem;

std::string refusal(const fs::path& path, const std::string& problem) {
  return "\"" + escaped(path.string(), 512) + "\" " + problem;
}

/// Empty, or what is wrong. In a directory only what the log itself named is the log: an export or a backup beside it
/// is not.
std::string list(const fs::path& directory, std::set<fs::path>& into, std::vector<std::string>& notes) {
  std::error_code failure;
  const log_listing found = list_log(directory, failure);
  if (failure) return refusal(directory, "cannot be listed: " + failure.message());
  if (found.segments.empty()) return refusal(directory, "holds no segment of a log (evidence-<20 digits>.jsonl)");
  for (const segment_on_disk& each : found.segments) into.insert(directory / segment_file_name(each.segment));
  for (const auto& other : found.others) {
    notes.push_back(
        refusal(directory / other, "is no segment of the log and was not read; name it to have it verified"));
  }
  return {};
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
  // By what makes one log: the directory, or the file itself.
  std::map<fs::path, std::set<fs::path>> logs;
  for (const fs::path& argument : arguments) {
    if (std::string problem = refuse_stream(argument); !problem.empty()) return problem;
    std::error_code failure;
    const fs::path path = fs::canonical(argument, failure);
    if (failure) return refusal(argument, "cannot be read: " + failure.message());
    if (fs::is_directory(path, failure)) {
      std::string problem = list(path, logs[path], listing.notes);
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
    for (const fs::path& path : paths) listing.files.push_back({path, number});
    ++number;
  }
  return listing;
}

}  // namespace cellos::verification
