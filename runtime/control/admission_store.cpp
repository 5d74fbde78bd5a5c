#include "runtime/control/admission_store.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>
#include <variant>

#include "messages/escaped_text.hpp"
#include "runtime/control/cell_document.hpp"
#include "runtime/os/file_system.hpp"

namespace cellos {

namespace {

using json = nlohmann::ordered_json;

constexpr int format_version = 1;
/// Hundreds of thousands of cells. Chosen here.
constexpr off_t most_file_bytes = off_t{256} << 20;

std::string refusal_of(const std::filesystem::path& file, const std::string& why) {
  return "state file \"" + escaped(file.string(), 512) + "\" " + why +
         "; mend it, or move it away to start without the cells in it";
}

std::string in_use(const std::filesystem::path& file, const lock_file& lock) {
  return "state file \"" + escaped(file.string(), 512) + "\" is in use: another daemon holds \"" +
         escaped(lock.path().string(), 512) + "\"; give this one a [control] state_file of its own";
}

/// Empty if there is no such file. A directory or a FIFO in its place must not hold us or end us.
std::string read_file(const std::filesystem::path& file, std::optional<std::string>& text) {
  const file_descriptor in{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!in) return errno == ENOENT ? "" : "cannot be read: " + last_system_error().message();
  struct stat there {};
  if (::fstat(in.get(), &there) != 0) return "cannot be looked at: " + last_system_error().message();
  if (!S_ISREG(there.st_mode)) return "is not a regular file";
  if (there.st_size > most_file_bytes) return "is longer than 256 MiB";
  text.emplace(static_cast<std::size_t>(there.st_size), '\0');
  std::size_t have = 0;
  while (have < text->size()) {
    const ssize_t got = ::read(in.get(), text->data() + have, text->size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return "cannot be read: " + last_system_error().message();
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  text->resize(have);
  return {};
}

/// Null where nothing can be made of it. What is nested deeper than ours is left out: writing it again would recurse.
json parse_shallow(const std::string& text) {
  bool too_deep = false;
  const auto look = [&](int depth, json::parse_event_t, json&) {
    constexpr int deepest = 8;
    too_deep = too_deep || depth > deepest;
    return !too_deep;
  };
  json root = json::parse(text, look, false);
  return too_deep ? json{} : root;
}

/// Empty on success.
std::string read_cells(const std::string& text, std::map<std::string, cell_specification>& into) {
  const json root = parse_shallow(text);
  if (!root.is_object()) return "is not a JSON object";
  if (root.value("version", json{}) != format_version) return "is of another version";
  const auto cells = root.find("cells");
  if (cells == root.end() || !cells->is_object()) return "has no object \"cells\"";
  for (const auto& [id, cell] : cells->items()) {
    const cell_or_refusal read = read_cell(id, cell.dump());
    if (const auto* refused = std::get_if<document_refusal>(&read)) {
      return "has a cell \"" + escaped(id, 128) + "\" whose " +
             (refused->field.empty() ? "description" : refused->field) + " " + refused->error;
    }
    into.emplace(id, std::get<cell_specification>(read));
  }
  return {};
}

}  // namespace

admission_store::opening admission_store::open(std::filesystem::path file) {
  lock_file lock{file.string() + ".lock"};
  // Where no lock can be made nothing can be written either; that is said of each change.
  if (lock.hold() == std::errc::operation_would_block) return {nullptr, in_use(file, lock)};
  std::map<std::string, cell_specification> known;
  std::optional<std::string> text;
  std::string why = read_file(file, text);
  if (why.empty() && text) why = read_cells(*text, known);
  if (!why.empty()) return {nullptr, refusal_of(file, why)};
  return {std::unique_ptr<admission_store>{new admission_store{std::move(file), std::move(lock), std::move(known)}},
          {}};
}

admission_store::admission_store(std::filesystem::path file, lock_file lock,
                                 std::map<std::string, cell_specification> known)
    : file_(std::move(file)), lock_(std::move(lock)), cells_(std::move(known)), writer_([this] { run(); }) {}

admission_store::~admission_store() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  writer_.join();
}

void admission_store::remember(const cell_specification& cell, settled done) {
  const std::lock_guard lock{mutex_};
  going_.erase(cell.cell_id);
  const auto [known, added] = cells_.try_emplace(cell.cell_id, cell);
  if (!added && known->second == cell && version_ == tried_) {
    // On the disk already; answered by the writer all the same, so that answers keep their thread.
    waiters_.push_back({version_, std::move(done)});
    changed_.notify_all();
    return;
  }
  known->second = cell;
  change_locked(std::move(done));
}

void admission_store::forget(const std::string& cell_id, settled done) {
  const std::lock_guard lock{mutex_};
  cells_.erase(cell_id);
  going_.erase(cell_id);
  change_locked(std::move(done));
}

void admission_store::change_locked(settled done) {
  waiters_.push_back({++version_, std::move(done)});
  changed_.notify_all();
}

void admission_store::expect_forgetting(const std::string& cell_id) {
  const std::lock_guard lock{mutex_};
  if (cells_.contains(cell_id)) going_.insert(cell_id);
}

bool admission_store::contains(const std::string& cell_id) const {
  const std::lock_guard lock{mutex_};
  return cells_.contains(cell_id);
}

std::vector<cell_specification> admission_store::all() const {
  const std::lock_guard lock{mutex_};
  return all_locked();
}

void admission_store::with_all(const std::function<void(const std::vector<cell_specification>&)>& see) const {
  const std::lock_guard lock{mutex_};
  see(all_locked());
}

std::vector<cell_specification> admission_store::all_locked() const {
  std::vector<cell_specification> out;
  for (const auto& [id, cell] : cells_) {
    if (!going_.contains(id)) out.push_back(cell);
  }
  return out;
}

void admission_store::run() {
  ::pthread_setname_np(::pthread_self(), "cell-memory");
  std::error_code outcome;
  std::unique_lock lock{mutex_};
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiters_.empty(); });
    // Whoever waits at the end is answered.
    if (waiters_.empty()) return;
    if (version_ != tried_ || outcome) {
      const std::string text = text_locked();
      tried_ = version_;
      lock.unlock();
      outcome = replace_file(text);
      lock.lock();
    }
    std::vector<settled> due;
    std::erase_if(waiters_, [&](waiter& each) {
      if (each.version > tried_) return false;
      due.push_back(std::move(each.done));
      return true;
    });
    lock.unlock();
    for (const settled& done : due) done(outcome);
    lock.lock();
  }
}

std::string admission_store::text_locked() const {
  std::string text = "{\"version\":" + std::to_string(format_version) + ",\"cells\":{";
  bool first = true;
  for (const auto& [id, cell] : cells_) {
    text += std::exchange(first, false) ? "\n" : ",\n";
    text += json(id).dump() + ':' + cell_to_json(cell).dump();
  }
  return text + "\n}}\n";
}

std::error_code admission_store::replace_file(const std::string& text) {
  if (const std::error_code not_ours = lock_.hold()) return not_ours;
  auto& files = real_file_system();
  if (const auto made = cellos::replace_file(files, file_, text, 0600); made.failure) return made.failure;
  const auto parent = file_.has_parent_path() ? file_.parent_path() : std::filesystem::path{"."};
  const file_descriptor directory{files.open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)};
  if (!directory) return last_system_error();
  return sync_directory(files, directory.get());
}

}  // namespace cellos
