#include "runtime/collector/collector_store.hpp"

#include <fcntl.h>

#include <algorithm>
#include <optional>

#include "messages/escaped_text.hpp"

namespace cellos {

namespace {

constexpr mode_t directory_mode = 0750;
constexpr std::size_t longest_path_shown = 512;

/// The copies in a host's directory. A directory that is not there has none.
std::vector<copy_name> list_copies(const std::filesystem::path& dir, std::error_code& failure) {
  std::vector<copy_name> found;
  std::filesystem::directory_iterator entry{dir, failure};
  if (failure == std::errc::no_such_file_or_directory) failure.clear();
  for (; !failure && entry != std::filesystem::directory_iterator{}; entry.increment(failure)) {
    if (const auto name = parse_copy_name(entry->path().filename().native())) found.push_back(*name);
  }
  return found;
}

}  // namespace

collector_store::opening collector_store::open(std::filesystem::path dir, copy_limits limits, file_system& files) {
  opening opened;
  const auto refuse = [&](std::string_view what, const std::error_code& cause) {
    opened.refusal = "the collector's directory \"" + escaped(dir.native(), longest_path_shown) + "\" " +
                     std::string{what} + ": " + cause.message();
    return std::move(opened);
  };
  std::unique_ptr<collector_store> store{new collector_store{dir, limits, files}};
  if (const auto failure = store->make_directory(dir)) return refuse("cannot be made", failure);
  if (const auto failure = store->lock_.hold()) return refuse("cannot be claimed", failure);
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  store->entries_ = file_descriptor{uninterrupted([&] { return files.open(dir.c_str(), flags, 0); })};
  if (!store->entries_) return refuse("cannot be opened", last_system_error());
  // A process that was killed left lines behind that a host takes for safe as soon as we say where they end.
  if (const auto failure = store->sync()) return refuse("cannot be made durable", failure);
  opened.store = std::move(store);
  return opened;
}

std::error_code collector_store::make_directory(const std::filesystem::path& path) const {
  if (uninterrupted([&] { return files_.mkdir(path.c_str(), directory_mode); }) == 0 || errno == EEXIST) return {};
  return last_system_error();
}

collector_store::found_copy collector_store::copy_of(const std::string& host_id, const node_log_id& log) {
  const std::lock_guard guard{mutex_};
  auto& copies = open_[{host_id, log}];
  if (copies.newest) return {copies.newest, node_refusal::none, {}, copies.forks};
  auto found = find(host_id, log, copies);
  if (!found.copy) open_.erase({host_id, log});
  return found;
}

collector_store::found_copy collector_store::find(const std::string& host_id, const node_log_id& log,
                                                  copies_of_log& into) {
  found_copy found;
  if (!is_host_directory_name(host_id)) {
    found.refusal = node_refusal::host_mismatch;
    return found;
  }
  const auto copies = list_copies(dir_ / host_id, found.failure);
  if (found.failure) {
    found.refusal = node_refusal::storage_failed;
    return found;
  }
  std::optional<std::uint32_t> newest;
  std::uint32_t logs = 0;
  for (const copy_name& each : copies) {
    if (each.fork == 0) ++logs;
    if (each.log == log) newest = std::max(newest.value_or(0), each.fork);
  }
  if (!newest && logs >= limits_.logs_per_host) {
    found.refusal = node_refusal::too_many_copies;
    return found;
  }
  return begin(host_id, log, newest.value_or(0), into);
}

collector_store::found_copy collector_store::begin(const std::string& host_id, const node_log_id& log,
                                                   std::uint32_t fork, copies_of_log& into) {
  found_copy found;
  const auto dir = dir_ / host_id / to_string(copy_name{log, fork});
  found.failure = make_directory(dir_ / host_id);
  if (!found.failure) found.failure = make_directory(dir);
  if (found.failure) {
    found.refusal = node_refusal::storage_failed;
    return found;
  }
  auto opened = log_copy::open(dir, files_);
  found.torn_bytes = opened.torn_bytes;
  found.failure = opened.failure;
  if (!opened.copy) {
    found.refusal = node_refusal::storage_failed;
    return found;
  }
  into = {fork, opened.copy};
  found.copy = std::move(opened.copy);
  found.forks = fork;
  return found;
}

collector_store::found_copy collector_store::fork_of(const std::string& host_id, const node_log_id& log) {
  auto current = copy_of(host_id, log);
  if (!current.copy || current.copy->is_empty()) return current;
  const std::lock_guard guard{mutex_};
  auto& copies = open_[{host_id, log}];
  if (copies.forks >= limits_.forks_per_log) {
    found_copy refused;
    refused.refusal = node_refusal::too_many_copies;
    return refused;
  }
  return begin(host_id, log, copies.forks + 1, copies);
}

std::vector<std::string> collector_store::hosts(std::error_code& failure) const {
  std::vector<std::string> found;
  std::filesystem::directory_iterator entry{dir_, failure};
  for (; !failure && entry != std::filesystem::directory_iterator{}; entry.increment(failure)) {
    std::error_code vanished;
    auto name = entry->path().filename().native();
    if (is_host_directory_name(name) && entry->is_directory(vanished)) found.push_back(std::move(name));
  }
  std::ranges::sort(found);
  return found;
}

std::error_code collector_store::sync() {
  if (uninterrupted([&] { return files_.syncfs(entries_.get()); }) == 0) return {};
  return last_system_error();
}

std::vector<std::shared_ptr<log_copy>> collector_store::open_copies() const {
  const std::lock_guard guard{mutex_};
  std::vector<std::shared_ptr<log_copy>> copies;
  for (const auto& [key, each] : open_) {
    if (each.newest) copies.push_back(each.newest);
  }
  return copies;
}

std::vector<collector_store::named_copy> collector_store::named_copies() const {
  const std::lock_guard guard{mutex_};
  std::vector<named_copy> copies;
  for (const auto& [key, each] : open_) {
    if (each.newest) copies.push_back({key.first, {key.second, each.forks}, each.newest});
  }
  return copies;
}

}  // namespace cellos
