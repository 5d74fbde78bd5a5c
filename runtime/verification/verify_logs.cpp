// Every thread takes the next block of lines, verifies each line by itself, waits until the blocks before were handed
// in, and hands in its own. So lines reach the log's verifier in order, and at most one block a thread is in memory.

#include "runtime/verification/verify_logs.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

#include "messages/escaped_text.hpp"
#include "runtime/verification/block_reader.hpp"
#include "runtime/verification/line_verifier.hpp"
#include "runtime/verification/log_verifier.hpp"
#include "runtime/verification/witnesses.hpp"

namespace cellos::verification {

namespace {

/// Where a file ended within a line.
struct torn_file {
  std::uint32_t file = 0;
  std::uint64_t line = 0;
  std::uint64_t bytes = 0;
  std::uintmax_t size = 0;
};

std::vector<named_file> names_of(const std::vector<log_file>& files) {
  std::vector<named_file> named;
  for (const log_file& each : files) named.push_back({each.path.string(), each.log});
  return named;
}

std::uintmax_t size_of(const log_file& file) {
  std::error_code vanished;
  const auto size = std::filesystem::file_size(file.path, vanished);
  return vanished ? 0 : size;
}

/// One reading of some files. `hand_in` gets every line in order, with its number in its file.
class reading {
 public:
  reading(std::vector<log_file> files, const key_list* keys) : reader_(std::move(files)), keys_(keys) {}
  virtual ~reading() = default;
  reading(const reading&) = delete;
  reading& operator=(const reading&) = delete;

  /// Empty, or what could not be read.
  std::string run(unsigned threads) {
    std::vector<std::thread> others;
    for (unsigned i = 1; i < threads; ++i) others.emplace_back([this] { work(); });
    work();
    for (std::thread& each : others) each.join();
    if (broken_) std::rethrow_exception(broken_);
    return reader_.failure();
  }

  std::uint64_t total_bytes() const { return reader_.total_bytes(); }
  bool vanished() const { return reader_.vanished(); }

 protected:
  virtual void hand_in(std::uint32_t file, std::uint64_t line_number, const line_result& line) = 0;
  /// After a block's lines; `next_line` is the number of the line after it.
  virtual void end_of_block(const line_block&, std::uint64_t /*next_line*/) {}

 private:
  void work() {
    try {
      line_verifier verifier{keys_};
      line_block block;
      std::vector<line_result> results;
      while (take(block)) {
        verifier.begin_block();
        results.clear();
        for (std::string_view rest = block.lines(); !rest.empty();) {
          const std::size_t end = rest.find('\n');
          results.push_back(verifier.verify(rest.substr(0, end)));
          rest.remove_prefix(end + 1);
        }
        put(block, results);
      }
    } catch (...) {
      const std::lock_guard lock{turn_mutex_};
      if (!broken_) broken_ = std::current_exception();
      turned_.notify_all();
    }
  }

  bool take(line_block& block) {
    const std::lock_guard lock{reader_mutex_};
    return reader_.next(block);
  }

  void put(const line_block& block, const std::vector<line_result>& results) {
    std::unique_lock lock{turn_mutex_};
    turned_.wait(lock, [&] { return turn_ == block.number || broken_; });
    if (broken_) return;
    if (block.begins_file) next_line_ = block.first_line;
    for (const line_result& each : results) hand_in(block.file, next_line_++, each);
    end_of_block(block, next_line_);
    if (block.overlong) ++next_line_;
    ++turn_;
    turned_.notify_all();
  }

  block_reader reader_;
  const key_list* keys_;
  std::mutex reader_mutex_;
  std::mutex turn_mutex_;
  std::condition_variable turned_;
  std::uint64_t turn_ = 0;
  std::uint64_t next_line_ = 1;
  std::exception_ptr broken_;
};

class first_reading : public reading {
 public:
  first_reading(const std::vector<log_file>& files, const key_list* keys, log_verifier& verifier,
                const progress& on_progress)
      : reading(files, keys), files_(files), verifier_(verifier), on_progress_(on_progress), total_(total_bytes()) {}

  std::uint64_t bytes() const { return bytes_; }
  const std::vector<torn_file>& torn() const { return torn_; }

 private:
  void hand_in(std::uint32_t file, std::uint64_t line_number, const line_result& line) override {
    verifier_.take(file, line_number, line);
  }
  void end_of_block(const line_block& block, std::uint64_t next_line) override {
    if (block.overlong) verifier_.overlong(block.file, next_line);
    if (block.unterminated > 0) {
      torn_.push_back({block.file, next_line, block.unterminated, size_of(files_[block.file])});
    }
    bytes_ += block.size + block.unterminated;
    if (on_progress_) on_progress_(std::min(bytes_, total_), total_);
  }

  const std::vector<log_file>& files_;
  log_verifier& verifier_;
  const progress& on_progress_;
  std::uint64_t total_;
  std::uint64_t bytes_ = 0;
  std::vector<torn_file> torn_;
};

/// Of those files only that hold what two logs have in part.
class further_reading : public reading {
 public:
  further_reading(std::vector<log_file> files, std::vector<std::uint32_t> numbers, const key_list* keys,
                  log_verifier& verifier)
      : reading(std::move(files), keys), numbers_(std::move(numbers)), verifier_(verifier) {}

 private:
  void hand_in(std::uint32_t file, std::uint64_t line_number, const line_result& line) override {
    verifier_.take_again(numbers_[file], line_number, line);
  }

  std::vector<std::uint32_t> numbers_;
  log_verifier& verifier_;
};

std::string read_again(const std::vector<log_file>& files, const key_list* keys, log_verifier& verifier,
                       unsigned threads, bool& vanished) {
  std::vector<log_file> concerned;
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < files.size(); ++i) {
    if (!verifier.needs_again(i)) continue;
    concerned.push_back(files[i]);
    numbers.push_back(i);
  }
  further_reading further{std::move(concerned), std::move(numbers), keys, verifier};
  std::string failure = further.run(threads);
  vanished = further.vanished();
  return failure;
}

/// A file that has grown meanwhile is being written: its last line was on its way.
void report_torn(const std::vector<log_file>& files, const std::vector<torn_file>& torn, log_verifier& verifier) {
  for (const torn_file& each : torn) {
    if (size_of(files[each.file]) > each.size) {
      verifier.note(escaped(files[each.file].path.string(), 512) +
                    " is being written: its last line was not complete yet");
    } else {
      verifier.unterminated(each.file, each.line, each.bytes);
    }
  }
}

/// `vanished`: what could not be read was removed since the files were listed.
verification_outcome verify_once(const std::vector<log_file>& files, const key_list* keys,
                                 const verification_options& options, unsigned threads, const progress& on_progress,
                                 bool& vanished, std::vector<testimony>* testimonies = nullptr) {
  threads = std::max(threads, 1u);
  log_verifier verifier{names_of(files), options, keys != nullptr};
  first_reading first{files, keys, verifier, on_progress};
  std::string failure = first.run(threads);
  vanished = first.vanished();
  if (!failure.empty()) return failure;
  // Answers may lead to further questions, but only once; more come of a log that changes.
  constexpr int most_readings = 3;
  for (int i = 0; verifier.merge() && i < most_readings; ++i) {
    failure = read_again(files, keys, verifier, threads, vanished);
    if (!failure.empty()) return failure;
  }
  report_torn(files, first.torn(), verifier);
  verification_report report = verifier.report();
  report.bytes = first.bytes();
  if (testimonies != nullptr) {
    for (const sworn_statement& each : verifier.sworn()) {
      testimonies->push_back({each.said, verifier.file_name(each.source.place), each.source.place.line, each.key});
    }
  }
  return report;
}

verification_outcome verify_arguments(const std::vector<std::filesystem::path>& arguments, const key_list* keys,
                                      const verification_options& options, unsigned threads,
                                      const progress& on_progress, verified_logs& logs,
                                      std::vector<testimony>* testimonies = nullptr) {
  // Retention takes a segment at a time, and reading is faster than a host writes one.
  constexpr int most_attempts = 10;
  for (int attempt = 1;; ++attempt) {
    auto listed = find_log_files(arguments);
    if (const auto* refusal = std::get_if<std::string>(&listed)) return *refusal;
    logs = std::get<verified_logs>(std::move(listed));
    bool vanished = false;
    if (testimonies != nullptr) testimonies->clear();
    auto outcome = verify_once(logs.files, keys, options, threads, on_progress, vanished, testimonies);
    if (vanished && attempt < most_attempts) continue;
    if (auto* report = std::get_if<verification_report>(&outcome)) {
      for (const std::string& each : logs.notes) report->notes.push_back(each);
      for (const finding& each : logs.findings) report->add(each);
      for (const finding& each : logs.gaps) {
        if (!options.partial) report->add(each);
      }
    }
    return outcome;
  }
}

/// What this collector's log says of the report's hosts; nothing, and a finding, where it does not verify. Empty, or
/// what could not be read.
std::string hear(const std::filesystem::path& witness, const key_list* keys, unsigned threads,
                 verification_report& report, std::vector<testimony>& all) {
  verification_options options;
  for (const auto& [host, said] : report.hosts) options.witness_of.insert(host);
  verified_logs logs;
  std::vector<testimony> heard;
  const auto outcome = verify_arguments({witness}, keys, options, threads, {}, logs, &heard);
  if (const auto* failure = std::get_if<std::string>(&outcome)) return *failure;
  const auto& own = std::get<verification_report>(outcome);
  if (own.clean()) {
    all.insert(all.end(), std::make_move_iterator(heard.begin()), std::make_move_iterator(heard.end()));
    return {};
  }
  const finding& first = own.findings.front();
  report.add({finding_cause::no_witness, first.chain, first.sequence,
              first.file.empty() ? witness.string() : first.file, std::max<std::uint64_t>(first.line, 1),
              "the witness's log does not verify (" + std::to_string(own.findings.size() + own.findings_left_out) +
                  " findings, the first: " + std::string{to_string(first.cause)} + ", " + first.words +
                  "): nothing in it counts"});
  return {};
}

}  // namespace

verification_outcome verify_logs(const std::vector<log_file>& files, const key_list* keys,
                                 const verification_options& options, unsigned threads, const progress& on_progress) {
  bool vanished = false;
  return verify_once(files, keys, options, threads, on_progress, vanished);
}

verification_outcome verify_logs(const std::vector<std::filesystem::path>& arguments, const key_list* keys,
                                 const verification_options& options, unsigned threads, const progress& on_progress) {
  verified_logs logs;
  auto outcome = verify_arguments(arguments, keys, options, threads, on_progress, logs);
  auto* const report = std::get_if<verification_report>(&outcome);
  if (report == nullptr || options.witnesses.empty()) return outcome;
  std::vector<testimony> testimonies;
  for (const auto& each : options.witnesses) {
    std::string failure = hear(each, keys, threads, *report, testimonies);
    if (!failure.empty()) return failure;
  }
  compare(logs, std::move(testimonies), options.partial, *report);
  return outcome;
}

}  // namespace cellos::verification
