#include "runtime/evidence/recovery_journal.hpp"

#include <fcntl.h>

#include <algorithm>
#include <fstream>
#include <utility>

namespace cellos {

namespace {

constexpr mode_t journal_mode = 0600;
/// A journal below this is not worth being begun anew. Chosen here.
constexpr std::uint64_t least_bound = std::uint64_t{1} << 20;
constexpr std::uint64_t growth = 4;
/// One of ours stays far below; whatever is larger is not read. Chosen here.
constexpr std::uint64_t longest_journal = std::uint64_t{256} << 20;

}  // namespace

recovery_journal::recovery_journal(const evidence_directory& directory, journal_owner owner, journal_mac_ptr mac,
                                   journal_content left)
    : directory_(directory), owner_(std::move(owner)), mac_(std::move(mac)), left_(std::move(left)) {
  if (!left_.header) return;
  first_segment_ = left_.header->first_segment;
  highest_epoch_ = left_.header->highest_epoch;
  for (const journaled_chain& each : left_.header->chains) {
    chains_.insert_or_assign(each.head.position.chain, each);
    highest_epoch_ = std::max(highest_epoch_, epoch_of(each.head.position.chain));
    if (!each.head.run && !each.closed) host_chain_ = each.head.position.chain;
  }
  for (const journal_record& record : left_.records) {
    for (const chain_head& head : record.heads) {
      highest_epoch_ = std::max(highest_epoch_, epoch_of(head.position.chain));
      if (&record == left_.last_append()) {
        doubtful_.push_back({head, record.begin.segment});
      } else {
        enter(head, record.begin.segment);
      }
    }
  }
}

void recovery_journal::enter(const chain_head& head, std::uint64_t segment) {
  const std::string& name = head.position.chain;
  journaled_chain& chain = chains_[name];
  chain.head = head;
  chain.head.listings.clear();
  chain.segment = segment;
  if (head.run && head.run->ended) chain.closed = true;
  for (const run_listing& listing : head.listings) {
    const auto run = chains_.find(listing.chain);
    if (listing.what == run_listing::kind::closed && run != chains_.end()) run->second.closed = true;
  }
  highest_epoch_ = std::max(highest_epoch_, epoch_of(name));
  if (head.run || name == host_chain_) return;
  if (const auto former = chains_.find(host_chain_); former != chains_.end()) former->second.closed = true;
  host_chain_ = name;
}

std::error_code recovery_journal::note(const journal_record& record) {
  if (!concluded_) {
    if (!left_.header) return {};
    if (!file_) {
      if (const auto failure = open_left()) return failure;
    }
  }
  if (!file_) return std::make_error_code(std::errc::bad_file_descriptor);
  journal_tag tag = tag_;
  const std::string line = journal_line(concluded_ ? *mac_ : *left_.mac, tag, to_text(record));
  if (const auto failure = append(line)) return failure;
  tag_ = tag;
  return {};
}

/// What cannot be relied on, behind what can, goes.
std::error_code recovery_journal::open_left() {
  auto& files = directory_.files();
  const auto path = directory_.path() / file_name;
  file_descriptor opened{uninterrupted(
      [&] { return files.open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW, journal_mode); })};
  if (!opened) return last_system_error();
  file_ = std::move(opened);
  size_ = left_.bytes;
  tag_ = left_.last_tag;
  tail_dirty_ = true;
  return {};
}

std::error_code recovery_journal::append(std::string_view line) {
  auto& files = directory_.files();
  const auto cut_back = [&] {
    return uninterrupted([&] { return files.ftruncate(file_.get(), static_cast<off_t>(size_)); }) == 0;
  };
  if (tail_dirty_ && !cut_back()) return last_system_error();
  tail_dirty_ = false;
  if (const auto failure = write_all(files, file_.get(), line)) {
    tail_dirty_ = !cut_back();
    return failure;
  }
  size_ += line.size();
  return {};
}

void recovery_journal::applied(std::span<const chain_head> heads, segment_position end, bool may_be_taken_back) {
  if (may_be_taken_back) {
    pending_.push_back({{heads.begin(), heads.end()}, end});
    return;
  }
  for (const chain_head& head : heads) stays(head, end.segment);
}

void recovery_journal::stays(const chain_head& head, std::uint64_t segment) {
  if (concluded_) return enter(head, segment);
  since_start_.push_back({head, segment});
}

void recovery_journal::settled(segment_position end) {
  for (; !pending_.empty() && pending_.front().end <= end; pending_.pop_front()) {
    for (const chain_head& head : pending_.front().heads) stays(head, pending_.front().end.segment);
  }
}

void recovery_journal::taken_back(segment_position from) {
  while (!pending_.empty() && pending_.back().end > from) pending_.pop_back();
}

void recovery_journal::enter_found(const found_chains& found) {
  if (!found.last_append_is_missing) {
    for (const located_head& each : doubtful_) enter(each.head, each.segment);
  }
  for (const located_head& each : since_start_) enter(each.head, each.segment);
  doubtful_.clear();
  since_start_.clear();
  for (const journaled_chain& each : found.closed) {
    chains_.insert_or_assign(each.head.position.chain, each);
    if (!each.head.run && !each.closed) host_chain_ = each.head.position.chain;
  }
  highest_epoch_ = std::max(highest_epoch_, found.highest_epoch);
}

std::error_code recovery_journal::conclude(const found_chains& found, segment_position end,
                                           segment_position committed) {
  enter_found(found);
  const bool before = std::exchange(concluded_, true);
  const auto failure = begin_anew(end, committed);
  if (failure) concluded_ = before;
  return failure;
}

std::error_code recovery_journal::begin_anew(segment_position end, segment_position committed) {
  if (!concluded_) return {};
  std::erase_if(chains_, [&](const auto& each) { return each.second.closed && each.second.segment < end.segment; });
  journal_header header{
      owner_.host_id, owner_.signing, owner_.boot_id, first_segment_, highest_epoch_, end, committed, {}};
  header.chains.reserve(chains_.size());
  for (const auto& [name, chain] : chains_) header.chains.push_back(chain);
  std::ranges::sort(header.chains, {},
                    [](const journaled_chain& each) -> const std::string& { return each.head.position.chain; });
  journal_tag tag{};
  const std::string line = journal_line(*mac_, tag, to_text(header));
  auto made = replace_file(directory_.files(), directory_.path() / file_name, line, journal_mode);
  if (made.failure) return made.failure;
  // From here on this is the journal, durable or not: without its entry, the one before it still says less, not wrong.
  (void)directory_.sync();
  file_ = std::move(made.file);
  tag_ = tag;
  size_ = size_when_begun_ = line.size();
  tail_dirty_ = false;
  return {};
}

bool recovery_journal::has_outgrown() const {
  return concluded_ && pending_.empty() && size_ > std::max(least_bound, growth * size_when_begun_);
}

std::error_code recovery_journal::change_key(journal_mac_ptr mac, segment_position end, segment_position committed) {
  const journal_mac_ptr before = std::exchange(mac_, std::move(mac));
  const auto failure = begin_anew(end, committed);
  if (failure) mac_ = before;
  return failure;
}

std::error_code recovery_journal::end(segment_position end, segment_position committed) {
  if (!concluded_) return {};
  if (const auto failure = note({end, 0, committed, {}})) return failure;
  return sync();
}

std::error_code recovery_journal::sync() const {
  if (!file_) return {};
  if (uninterrupted([&] { return directory_.files().fdatasync(file_.get()); }) != 0) return last_system_error();
  return {};
}

journal_content read_journal(const evidence_directory& directory, const std::vector<journal_mac_ptr>& macs,
                             std::string_view boot_id) {
  auto& files = directory.files();
  const auto path = directory.path() / recovery_journal::file_name;
  // A FIFO with no writer must not hold us.
  const file_descriptor file{
      uninterrupted([&] { return files.open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0); })};
  const auto unusable = [&](journal_trouble trouble) {
    journal_content content;
    content.trouble = trouble;
    return content;
  };
  if (!file) return unusable(errno == ENOENT ? journal_trouble::absent : journal_trouble::unauthentic);
  const auto size = uninterrupted([&] { return files.file_size(file.get()); });
  if (size < 0 || static_cast<std::uint64_t>(size) > longest_journal) return unusable(journal_trouble::unauthentic);
  std::string text(static_cast<std::size_t>(size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const auto bytes = uninterrupted(
        [&] { return files.pread(file.get(), text.data() + have, text.size() - have, static_cast<off_t>(have)); });
    if (bytes <= 0) break;
    have += static_cast<std::size_t>(bytes);
  }
  // One of ours has a first line from the moment that it has this name.
  if (have == 0) return unusable(journal_trouble::unauthentic);
  return read_journal(std::string_view{text}.substr(0, have), macs, boot_id);
}

std::string present_boot_id() {
  std::string id;
  std::ifstream{"/proc/sys/kernel/random/boot_id"} >> id;
  return id;
}

}  // namespace cellos
