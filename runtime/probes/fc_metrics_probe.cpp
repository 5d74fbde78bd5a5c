#include "runtime/probes/fc_metrics_probe.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "runtime/probes/source_text.hpp"

namespace cellos {

namespace {

/// Leaves the time to read what is there: a reading that is late is thrown away, with what it took from the file.
monotonic_time flush_deadline(monotonic_time deadline, std::chrono::nanoseconds longest) {
  const auto now = std::chrono::steady_clock::now();
  return now + std::min((deadline - now) / 2, longest);
}

}  // namespace

fc_metrics_probe::fc_metrics_probe(metrics_place place, const options& chosen)
    : path_(place.directory + "/" + place.path),
      stale_after_(chosen.stale_after),
      flush_at_(chosen.flush_at),
      longest_flush_(chosen.longest_flush),
      readings_unasked_(chosen.readings_unasked),
      file_(std::move(place), chosen.read_limits),
      account_(chosen.limits) {}

probe_reading fc_metrics_probe::reading_of(const metrics_file::piece& piece, std::uint64_t documents) const {
  probe_reading reading{source(), {}, {}, std::nullopt};
  reading.inputs = json_object([&](json::object_writer& inputs) {
    if (!piece.is_fifo) {
      inputs.count("fromByte", piece.from);
      inputs.count("inode", piece.inode);
    }
    inputs.text("kind", piece.is_fifo ? "fifo" : "file");
    inputs.text("path", path_);
    if (!piece.is_fifo) inputs.count("toByte", piece.from + piece.bytes.size());
  });
  reading.output = json_object([&](json::object_writer& output) {
    if (documents > 0) {
      output.member("document", [&](std::string& out) { out += account_.last_document(); });
    }
    output.count("documents", account_.documents());
    output.count("malformedLines", account_.malformed_lines());
    const auto members = [&](json::object_writer& totals) {
      for (const auto& [name, value] : account_.values()) totals.count(name, value);
    };
    if (documents > 0) output.member("totals", json::object_of(members));
    if (account_.values_left_out() > 0) output.count("valuesLeftOut", account_.values_left_out());
  });
  return reading;
}

void fc_metrics_probe::flush(monotonic_time deadline) {
  if (!flush_at_) return;
  if (unasked_ > 0) {
    --unasked_;
    return;
  }
  not_flushed_ = flush_metrics(*flush_at_, flush_deadline(deadline, longest_flush_));
  if (not_flushed_ && not_flushed_->kind == probe_error_kind::timed_out) unasked_ = readings_unasked_;
}

probe_result<probe_reading> fc_metrics_probe::read(const probe_context& context) {
  if (!last_document_) last_document_ = context.now;
  // What it has written meanwhile is read whether it does or not.
  flush(context.deadline);
  const auto piece = file_.read();
  if (!piece) return piece.error();
  const auto documents_before = account_.documents();
  const auto malformed_before = account_.malformed_lines();
  if (piece->begins_file) account_.begin_file();
  if (piece->begins_within_line) account_.skip_to_line_end();
  account_.take(piece->bytes);
  const auto documents = account_.documents() - documents_before;
  if (documents > 0) {
    last_document_ = context.now;
    return reading_of(*piece, documents);
  }
  if (account_.malformed_lines() > malformed_before) {
    return probe_error{probe_error_kind::malformed_source, "a line of the metrics is no document"};
  }
  if (not_flushed_) return *not_flushed_;
  if (context.now - *last_document_ > stale_after_) {
    return probe_error{probe_error_kind::timed_out, "the VMM has written no metrics for too long"};
  }
  return reading_of(*piece, 0);
}

}  // namespace cellos
