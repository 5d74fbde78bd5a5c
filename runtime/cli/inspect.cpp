#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "messages/escaped_text.hpp"
#include "messages/frame_listing.hpp"
#include "messages/quarantine_name.hpp"
#include "messages/timestamp.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/terminal.hpp"
#include "runtime/cli/text_table.hpp"

namespace cellos::cli {

namespace {

using json = nlohmann::ordered_json;

struct inspect_options {
  std::string file;
  bool as_json = false;
};

/// Far over a chunk, which is one read and the rest of a frame: below 70 KiB. Chosen here.
constexpr std::size_t max_file_bytes = 1024 * 1024;

using octets = std::vector<std::uint8_t>;

/// The file's bytes, or in a sentence why there are none.
std::variant<octets, std::string> read_chunk(const std::string& path) {
  const std::string name = "\"" + escaped(path, 512) + "\" ";
  std::ifstream file{path, std::ios::binary};
  octets bytes(max_file_bytes + 1);
  if (file) file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.is_open() || file.bad()) return name + "cannot be read: " + std::strerror(errno);
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.size() > max_file_bytes) return name + "has over 1 MiB: it is no quarantined chunk";
  return bytes;
}

bool is_accepted(const listed_frame& frame) { return frame.decoded.refusal == telemetry_errc::none; }

std::string_view result_of(const listed_frame& frame) {
  return is_accepted(frame) ? "accepted" : to_string(frame.decoded.refusal);
}

refusal_counts refused_in(const std::vector<listed_frame>& frames) {
  refusal_counts refused;
  for (const listed_frame& frame : frames) {
    if (!is_accepted(frame)) refused.add(frame.decoded.refusal);
  }
  return refused;
}

std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What a row says besides the columns every declaration fills.
std::string remarks_on(const listed_frame& frame) {
  if (!is_accepted(frame)) return escaped(as_text(frame.body));
  std::string text;
  const auto add = [&](const std::string& remark) { text += (text.empty() ? "" : ", ") + remark; };
  if (frame.decoded.seq) add("seq " + std::to_string(*frame.decoded.seq));
  if (frame.decoded.dropped) add("dropped " + std::to_string(*frame.decoded.dropped));
  if (frame.decoded.forged_attribution) add("forged attribution");
  return text;
}

std::vector<std::string> row_of(const listed_frame& frame) {
  const bool accepted = is_accepted(frame);
  const guest_declaration& declared = frame.decoded.declaration;
  return {std::to_string(frame.offset),
          frame.length ? std::to_string(*frame.length) : "",
          std::string{result_of(frame)},
          accepted ? std::string{to_string(declared.source)} : "",
          accepted ? std::to_string(declared.guest_pid) : "",
          accepted ? std::to_string(declared.guest_monotonic_ns) : "",
          accepted ? "\"" + escaped(declared.guest_comm) + "\"" : "",
          remarks_on(frame)};
}

void print_frames(const std::vector<listed_frame>& frames, std::size_t bytes,
                  const std::optional<quarantine_name>& name) {
  if (name) {
    std::printf("cell %s, chunk %llu, received %s\n", escaped(name->cell_id, 256).c_str(),
                static_cast<unsigned long long>(name->sequence),
                std::string{timestamp_text{name->received_at}.view()}.c_str());
  }
  text_table table{{{"OFFSET", true},
                    {"LENGTH", true},
                    {"RESULT"},
                    {"SOURCE"},
                    {"PID", true},
                    {"MONOTONIC NS", true},
                    {"COMM"},
                    {"REMARKS, OR BYTES REFUSED"}}};
  for (const listed_frame& frame : frames) table.add(row_of(frame));
  for (const std::string& line : table.lines()) std::printf("%s\n", line.c_str());
  const refusal_counts refused = refused_in(frames);
  std::printf("%zu bytes, %zu frames: %zu accepted, %llu refused", bytes, frames.size(),
              frames.size() - refused.total(), static_cast<unsigned long long>(refused.total()));
  const char* before = ": ";
  for (const telemetry_errc kind : refusal_kinds) {
    if (refused[kind] == 0) continue;
    std::printf("%s%s %llu", before, std::string{to_string(kind)}.c_str(),
                static_cast<unsigned long long>(refused[kind]));
    before = ", ";
  }
  std::printf("\n");
}

std::string hex_of(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 0xF];
  }
  return text;
}

json frame_document(const listed_frame& frame) {
  json out{{"offset", frame.offset}, {"length", nullptr}, {"result", result_of(frame)}};
  if (frame.length) out["length"] = *frame.length;
  if (!is_accepted(frame)) {
    out["body_hex"] = hex_of(frame.body);
    return out;
  }
  const guest_declaration& declared = frame.decoded.declaration;
  out["probe_source"] = to_string(declared.source);
  out["guest_pid"] = declared.guest_pid;
  out["guest_comm"] = declared.guest_comm;
  // 64-bit numbers are texts, as in events: so every reader keeps them exact.
  out["guest_monotonic_ns"] = std::to_string(declared.guest_monotonic_ns);
  if (frame.decoded.seq) out["seq"] = std::to_string(*frame.decoded.seq);
  if (frame.decoded.dropped) out["dropped"] = std::to_string(*frame.decoded.dropped);
  out["forged_attribution"] = frame.decoded.forged_attribution;
  return out;
}

std::string document_of(const std::vector<listed_frame>& frames, std::size_t bytes,
                        const std::optional<quarantine_name>& name) {
  json out = json::object();
  if (name) {
    out["cell_id"] = name->cell_id;
    out["chunk"] = std::to_string(name->sequence);
    out["received_at"] = timestamp_text{name->received_at}.view();
  }
  const refusal_counts refused = refused_in(frames);
  out["bytes"] = bytes;
  out["accepted"] = frames.size() - refused.total();
  out["refused"] = json::object();
  for (const telemetry_errc kind : refusal_kinds) {
    if (refused[kind] != 0) out["refused"][to_string(kind)] = refused[kind];
  }
  out["frames"] = json::array();
  for (const listed_frame& frame : frames) out["frames"].push_back(frame_document(frame));
  return harmless_json(out.dump(-1, ' ', false, json::error_handler_t::replace));
}

exit_code run_inspect(const inspect_options& options) {
  const auto read = read_chunk(options.file);
  if (const auto* failure = std::get_if<std::string>(&read)) {
    std::fprintf(stderr, "cellos-telemetryctl: %s\n", failure->c_str());
    return exit_unavailable;
  }
  const auto& bytes = std::get<octets>(read);
  const auto frames = list_frames(bytes);
  const auto name = parse_quarantine_name(std::filesystem::path{options.file}.filename().native());
  if (options.as_json) {
    std::printf("%s\n", document_of(frames, bytes.size(), name).c_str());
  } else {
    print_frames(frames, bytes.size(), name);
  }
  return refused_in(frames).total() == 0 ? exit_success : exit_failure_found;
}

}  // namespace

command add_inspect(CLI::App& app) {
  auto options = std::make_shared<inspect_options>();
  app.add_option("file", options->file, "A quarantined chunk, or any file of frames as guests send them")->required();
  app.add_flag("--json", options->as_json, "One JSON object instead of a table");
  return [options] { return run_inspect(*options); };
}

}  // namespace cellos::cli
