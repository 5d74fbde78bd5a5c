#pragma once

#include <caf/test/dsl.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "messages/hexadecimal.hpp"
#include "messages/segment_position.hpp"
#include "runtime/segments/copy_name.hpp"
#include "runtime/segments/segment_name.hpp"
#include "runtime/verification/verify_logs.hpp"
#include "tests/support/files.hpp"
#include "tests/support/reference_chain.hpp"
#include "tests/support/temporary_directory.hpp"

namespace cellos::test {

using namespace cellos::verification;

namespace fs = std::filesystem;
using lines = std::vector<std::string>;

inline const std::string log_id = "00112233445566778899aabbccddeeff";

inline std::string joined(const lines& all, std::size_t begin = 0, std::size_t end = std::string::npos) {
  std::string text;
  for (std::size_t i = begin; i < std::min(end, all.size()); ++i) text += all[i];
  return text;
}

/// A host's log, and a collector that has seen some of it.
struct witnessed_log_fixture {
  /// What the host writes; `changed`: a declaration that says another thing.
  lines host_log(std::optional<int> changed = std::nullopt) {
    reference_chain host{"host-a", "", "", "1", &host_key};
    reference_chain run{"host-a", "cell-1", "run-1", "1", &host_key};
    lines log{host.host_started(), host.run_opened(run.chain()), run.started()};
    for (int i = 0; i < 40; ++i) log.push_back(run.declaration(i % 5 == 4, i == changed ? "evil" : "bash"));
    log.push_back(run.ended(40));
    log.push_back(host.run_closed(run));
    log.push_back(host.host_stopped());
    return log;
  }
  /// Twenty lines a segment.
  void write_host(const lines& log) {
    fs::remove_all(directory / "host");
    fs::create_directories(directory / "host");
    for (std::size_t i = 0; i * 20 < log.size(); ++i) {
      write_file(directory / "host" / segment_file_name(i + 1), joined(log, i * 20, (i + 1) * 20));
    }
    write_file(directory / "host/log-id", log_id + "\n");
  }
  /// The place behind that line.
  static segment_position end_of(const lines& log, std::size_t line) {
    return {line / 20 + 1, joined(log, line / 20 * 20, line + 1).size()};
  }
  static std::string witnessed(const lines& log, std::size_t line, const std::string& id = log_id) {
    const auto at = end_of(log, line);
    const auto bytes = joined(log, line / 20 * 20, line + 1);
    return R"({"bytesDigest":")" + hexadecimal(sha256::of(bytes)) + R"(","digest":")" +
           hexadecimal(sha256::of(log[line])) + R"(","fork":"0","from":"0","hostId":"collector-1","logId":")" + id +
           R"(","ofHost":"host-a","offset":")" + std::to_string(at.offset) +
           R"(","output":{"epistemicStatus":"observed","ruleClass":"rawObservation","tier":2},"segment":")" +
           std::to_string(at.segment) + "\"}";
  }
  /// The collector's own log, of what it witnesses.
  void write_witness(const lines& said, const signing_key& key) {
    reference_chain own{"collector-1", "", "", "1", &key};
    std::string text = own.host_started();
    for (const std::string& each : said) text += own.line("host.v1.witnessed", each, true);
    fs::create_directories(directory / "witness");
    write_file(directory / "witness" / segment_file_name(1), text);
  }
  /// It saw these lines.
  void write_witness(const lines& log, const std::vector<std::size_t>& seen, const signing_key& key,
                     const std::string& id = log_id) {
    lines said;
    for (const std::size_t line : seen) said.push_back(witnessed(log, line, id));
    write_witness(said, key);
  }
  void write_witness(const lines& log, const std::vector<std::size_t>& seen) {
    write_witness(log, seen, collector_key);
  }
  /// A piece that collector `name` keeps: lines `begin` to `end` of one segment.
  fs::path write_piece(const std::string& name, const lines& log, std::size_t begin, std::size_t end) {
    auto copy = directory / name / "host-a" / log_id;
    fs::create_directories(copy);
    const segment_position at{begin / 20 + 1, joined(log, begin / 20 * 20, begin).size()};
    write_file(copy / piece_file_name(at), joined(log, begin, end));
    return copy;
  }

  std::variant<verification_report, std::string> check(const std::vector<fs::path>& logs,
                                                       const verification_options& options) {
    return verify_logs(logs, &keys, options, 2);
  }
  verification_report verify(const std::vector<fs::path>& logs, const verification_options& options = {}) {
    auto checked = check(logs, options);
    if (const auto* failure = std::get_if<std::string>(&checked)) throw std::runtime_error(*failure);
    auto& report = std::get<verification_report>(checked);
    for (const finding& each : report.findings) {
      CAF_MESSAGE(to_string(each.cause) << " " << each.chain << " " << each.sequence << " " << each.file << ":"
                                        << each.line << ": " << each.words);
    }
    return std::move(report);
  }
  verification_report verify_host(bool with_witness = true) {
    verification_options options;
    if (with_witness) options.witnesses = {directory / "witness"};
    return verify({directory / "host"}, options);
  }
  static bool is_only(const verification_report& report, finding_cause cause) {
    return report.findings.size() == 1 && report.findings[0].cause == cause;
  }
  static bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

  memory_directory directory;
  signing_key host_key = signing_key::generate(signing_algorithm::ed25519, "host-key");
  signing_key collector_key = signing_key::generate(signing_algorithm::ed25519, "collector-key");
  key_list keys = keys_of({&host_key, &collector_key});
};

}  // namespace cellos::test
