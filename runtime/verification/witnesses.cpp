#include "runtime/verification/witnesses.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "messages/escaped_text.hpp"
#include "messages/hexadecimal.hpp"
#include "runtime/lines/logged_event.hpp"
#include "runtime/signing/sha256.hpp"
#include "runtime/verification/facts_reader.hpp"
#include "runtime/verification/file_text.hpp"

namespace cellos::verification {

namespace {

std::string place_of(const testimony& each) { return escaped(each.file, 512) + ":" + std::to_string(each.line); }

std::string text_of(segment_position at) {
  return "byte " + std::to_string(at.offset) + " of segment " + std::to_string(at.segment);
}

std::string name_of(const witness_statement& said) {
  return "log " + escaped(said.log_id, 64) + " of host " + escaped(said.host, 128);
}

bool in_log_order(const testimony& one, const testimony& other) {
  return std::tie(one.said.at, one.file, one.line) < std::tie(other.said.at, other.file, other.line);
}

/// One log and what was witnessed of it, in log order. Of each kind of finding the first is reported, and how many
/// follow.
class log_comparison {
 public:
  log_comparison(const placed_log& log, bool partial, verification_report& report)
      : log_(log), partial_(partial), report_(report) {}

  /// False: what it is about is not here.
  bool take(const testimony& each) {
    const log_range* range = range_of(each.said.at);
    if (range == nullptr) return take_absent(each);
    const file_text& text = text_of_file(range->path);
    const auto end = each.said.at.offset - range->begin.offset;
    if (!text.is_open() || end > text.size()) return take_absent(each);
    const auto line = text.line_ending_at(end);
    const bool same_line = line && hexadecimal(sha256::of(*line)) == each.said.line_hash;
    series& of = series_.try_emplace({each.said.at.segment, each.said.from}, each.said.from).first->second;
    if (same_bytes(each, of) && same_line) {
      ++agreeing_;
      of.agreed = each.said.at.offset;
      return true;
    }
    if (!altered_) {
      const auto first = of.agreed > range->begin.offset ? of.agreed - range->begin.offset : 0;
      altered_ = finding_at(*range, first, end, same_line, each);
    } else {
      ++later_altered_;
    }
    return true;
  }

  void finish() {
    if (agreeing_ == 0 && removed_ != nullptr && !altered_ && !missing_) {
      // Whoever has the host's key says of it what retention took.
      report_.add({finding_cause::no_witness, "", 0, removed_->file, removed_->line,
                   "witnesses " + name_of(removed_->said) +
                       ", of which retention took all that was witnessed, as the host says"});
    }
    if (altered_) {
      if (later_altered_ > 0) altered_->words += "; the same of " + std::to_string(later_altered_) + " later";
      report_.add(*std::move(altered_));
    }
    if (missing_) {
      if (later_missing_ > 0) missing_->words += "; the same of " + std::to_string(later_missing_) + " later";
      report_.add(*std::move(missing_));
    }
    report_.notes.push_back("\"" + escaped(log_.directory.string(), 512) + "\": " + std::to_string(agreeing_) +
                            " witnessed places agree");
  }

 private:
  /// Null where none has it.
  const log_range* range_of(segment_position at) const {
    const log_range* found = nullptr;
    for (const log_range& each : log_.ranges) {
      if (each.begin.segment == at.segment && each.from < at.offset) found = &each;
    }
    return found;
  }

  const file_text& text_of_file(const std::filesystem::path& path) {
    if (!text_ || text_->path() != path) text_.emplace(path);
    return *text_;
  }

  /// What one collector says of one segment, place after place.
  struct series {
    explicit series(std::uint64_t from) : agreed(from), hashed(from) {}
    /// Everything before is as it was.
    std::uint64_t agreed;
    std::uint64_t hashed;
    sha256 bytes;
    bool is_broken = false;
  };

  /// Also where the collector did not say, or bytes are not here: then only the line counts.
  bool same_bytes(const testimony& each, series& of) {
    if (each.said.bytes_hash.empty()) return true;
    while (of.hashed < each.said.at.offset && !of.is_broken) {
      const auto text = read_at({each.said.at.segment, of.hashed}, each.said.at.offset);
      of.is_broken = text.empty();
      of.bytes.update(text);
      of.hashed += text.size();
    }
    return of.is_broken || hexadecimal(sha256{of.bytes}.finish()) == each.said.bytes_hash;
  }

  /// Some of the bytes from there on; none where no file has them.
  std::string read_at(segment_position at, std::uint64_t until) {
    constexpr std::uint64_t most = std::uint64_t{1} << 20;
    for (const log_range& each : log_.ranges) {
      if (each.begin.segment != at.segment || each.from > at.offset) continue;
      const auto read = text_of_file(each.path).read(at.offset - each.begin.offset, std::min(most, until - at.offset));
      if (read && !read->empty()) return *read;
    }
    return {};
  }

  /// At the line that ends at `end`; what is before `first` is as it was. Both within the file.
  finding finding_at(const log_range& range, std::uint64_t first, std::uint64_t end, bool same_line,
                     const testimony& each) {
    const file_text& text = text_of_file(range.path);
    const auto line = text.line_ending_at(end).value_or(std::string{});
    finding found{finding_cause::altered, "", 0, text.path().string(), 0, ""};
    // A line that only spans the place has no newline before it.
    found.line = text.lines_before(end).value_or(0) + (line.empty() ? 1 : 0);
    logged_event event;
    if (!line.empty() && read_canonical_line(std::string_view{line}.substr(0, line.size() - 1), event)) {
      found.chain = event.chain;
      found.sequence = decimal(event.sequence).value_or(0);
    }
    const auto from = "from line " + std::to_string(text.lines_before(first).value_or(0) + 1) + " on";
    found.words = (same_line ? "one of the lines " + from + " and before this one was written anew: "
                             : "this line, or one before it " + from + ", was written anew: ") +
                  place_of(each) + " witnesses " + (same_line ? "other bytes before " : "that another line ended at ") +
                  text_of(each.said.at);
    return found;
  }

  /// Neither a file nor bytes: removed by retention, or cut off.
  bool take_absent(const testimony& each) {
    const auto host = report_.hosts.find(each.said.host);
    const bool is_removed = host != report_.hosts.end() && each.said.at.segment <= host->second.removed_until &&
                            (log_.ranges.empty() || each.said.at.segment < log_.ranges.front().begin.segment);
    if (is_removed) removed_ = &each;
    if (is_removed || partial_) return is_removed;
    if (missing_) {
      ++later_missing_;
      return true;
    }
    missing_ = finding{finding_cause::missing,
                       "",
                       0,
                       each.file,
                       each.line,
                       name_of(each.said) + " has no line that ends at " + text_of(each.said.at) +
                           ", which this line witnesses; what is in \"" + escaped(log_.directory.string(), 512) +
                           "\" was cut back, or a part of it is lost"};
    return true;
  }

  const placed_log& log_;
  const bool partial_;
  verification_report& report_;
  std::optional<file_text> text_;
  /// By segment and where the collector's part of it begins.
  std::map<std::pair<std::uint64_t, std::uint64_t>, series> series_;
  std::uint64_t agreeing_ = 0;
  /// The last one of what the host says retention took.
  const testimony* removed_ = nullptr;
  std::optional<finding> altered_;
  std::uint64_t later_altered_ = 0;
  std::optional<finding> missing_;
  std::uint64_t later_missing_ = 0;
};

/// Whoever has a host's key would be its own witness.
void leave_out_own_keys(std::vector<testimony>& testimonies, verification_report& report) {
  std::set<std::string> reported;
  std::erase_if(testimonies, [&](const testimony& each) {
    const auto host = report.hosts.find(each.said.host);
    const bool is_own = each.key != nullptr && host != report.hosts.end() && host->second.keys.contains(each.key);
    if (is_own && reported.insert(each.file).second) {
      report.add({finding_cause::no_witness, "", 0, each.file, each.line,
                  "is signed by a key of the host that it is about, " + escaped(each.said.host, 128) +
                      ": such lines count for nothing"});
    }
    return is_own;
  });
}

/// In the log's order.
using testimonies_of_log = std::vector<const testimony*>;
/// Whoever answers for a host may give its log another's id.
using by_host_and_id = std::map<std::pair<std::string, std::string>, testimonies_of_log>;

/// All testimonies, and which of them were compared with a log.
class witnessed_logs {
 public:
  explicit witnessed_logs(const std::vector<testimony>& all) {
    for (const testimony& each : all) by_log_[{each.said.host, each.said.log_id}].push_back(&each);
  }

  /// What is said of that log, in its order; nothing where several can be meant.
  testimonies_of_log find(const placed_log& log, const verified_logs& among) const {
    const auto is_another = [&](const auto& name) {
      return std::ranges::any_of(among.logs, [&](const placed_log& each) {
        return each.log_id == name.second && (each.hosts.empty() || each.hosts.contains(name.first));
      });
    };
    // A copy that was put elsewhere has no host's name.
    const bool is_known =
        std::ranges::any_of(by_log_, [&](const auto& each) { return log.hosts.contains(each.first.first); });
    std::vector<const testimonies_of_log*> found;
    for (const auto& [name, said] : by_log_) {
      if (is_known && !log.hosts.contains(name.first)) continue;
      // A log without an id is none of those that are here.
      if (log.log_id.empty() ? is_another(name) : log.log_id != name.second) continue;
      found.push_back(&said);
    }
    testimonies_of_log all;
    if (found.size() > 1 && (!is_known || log.log_id.empty())) return all;
    for (const auto* each : found) all.insert(all.end(), each->begin(), each->end());
    std::ranges::sort(all, [](const testimony* one, const testimony* other) { return in_log_order(*one, *other); });
    return all;
  }

  void mark_compared(const testimony& each) { compared_.insert(&each); }

  /// A log, or a fork of one, that is not among those that are here: retention does not take whole logs.
  void report_absent(verification_report& report) const {
    for (const auto& [name, said] : by_log_) {
      std::map<std::uint32_t, const testimony*> last_of_fork;
      for (const testimony* each : said) {
        if (!compared_.contains(each)) last_of_fork[each->said.fork] = each;
      }
      for (const auto& [fork, last] : last_of_fork) {
        report.add({finding_cause::missing, "", 0, last->file, last->line,
                    name_of(last->said) + (fork == 0 ? "" : ", fork " + std::to_string(fork) + ",") +
                        " is not here: this line witnesses it up to " + text_of(last->said.at)});
      }
    }
  }

  /// Of a part of what there is a log may be absent. But a host of which something is here, and nothing that was
  /// witnessed, may have given its log another id.
  void report_uncompared_hosts(verification_report& report) const {
    std::map<std::string, const testimony*> last_of_host;
    for (const auto& [name, said] : by_log_) last_of_host[name.first] = said.back();
    for (const testimony* each : compared_) last_of_host.erase(each->said.host);
    for (const auto& [host, last] : last_of_host) {
      if (!report.hosts.contains(host)) continue;
      report.add({finding_cause::no_witness, "", 0, last->file, last->line,
                  "witnesses " + name_of(last->said) + ", and nothing that is here of that host is that log"});
    }
  }

 private:
  by_host_and_id by_log_;
  std::set<const testimony*> compared_;
};

}  // namespace

void compare(const verified_logs& logs, std::vector<testimony> testimonies, bool partial, verification_report& report) {
  leave_out_own_keys(testimonies, report);
  std::ranges::sort(testimonies, in_log_order);
  witnessed_logs witnessed{testimonies};
  for (const placed_log& log : logs.logs) {
    const auto said = witnessed.find(log, logs);
    if (said.empty()) {
      report.notes.push_back("\"" + escaped(log.directory.string(), 512) + "\": nothing of it was witnessed");
      continue;
    }
    log_comparison comparison{log, partial, report};
    for (const testimony* each : said) {
      if (log.fork && *log.fork != each->said.fork) continue;
      if (comparison.take(*each) || !partial) witnessed.mark_compared(*each);
    }
    comparison.finish();
  }
  if (partial)
    witnessed.report_uncompared_hosts(report);
  else
    witnessed.report_absent(report);
}

}  // namespace cellos::verification
