#include "runtime/collector/ingest.hpp"

#include <utility>

#include "runtime/collector/unpack_lines.hpp"

namespace cellos {

namespace {

/// A file costs more than its bytes: a host that begins one for every line pays for that.
constexpr std::uint64_t quota_of_a_piece = 64 * 1024;

}  // namespace

ingest::ingest(collector_store& store, std::string host_id, ingest_limits limits)
    : store_(store), host_id_(std::move(host_id)), limits_(limits) {
  if (limits_.signers != nullptr) signatures_.emplace(*limits_.signers);
}

node_refusal ingest::refusal_of(const decoded_message<node_hello>& hello) const {
  if (hello.refusal == node_codec_errc::unsupported_version) return node_refusal::unsupported_version;
  if (!hello) return node_refusal::malformed;
  if (hello.message.host_id != host_id_ || !is_host_directory_name(host_id_)) return node_refusal::host_mismatch;
  return node_refusal::none;
}

node_welcome ingest::refuse(node_refusal reason, bool permanent) {
  node_welcome welcome;
  welcome.reason = reason;
  welcome.permanent = permanent;
  return welcome;
}

ingest::welcomed ingest::open(const node_hello& hello) {
  welcomed out;
  copy_.reset();
  const bool forks = hello.intent == hello_intent::fork;
  const auto former = forks ? store_.copy_of(host_id_, hello.log) : collector_store::found_copy{};
  auto found = forks ? store_.fork_of(host_id_, hello.log) : store_.copy_of(host_id_, hello.log);
  out.torn_bytes = found.torn_bytes;
  out.failure = found.failure;
  if (!found.copy) {
    out.welcome = refuse(found.refusal, found.refusal != node_refusal::storage_failed);
    return out;
  }
  if (former.copy && former.copy != found.copy) out.contradicted = former.copy->end_position();
  const bool begins = forks || hello.intent == hello_intent::skip || found.copy->is_empty();
  // A position that is not behind the copy's end is answered with that end.
  if (begins) (void)found.copy->skip_to(hello.cursor.at);
  out.welcome.cursor = found.copy->end(out.failure);
  if (out.failure) {
    out.welcome = refuse(node_refusal::storage_failed, false);
    return out;
  }
  const bool compares = out.welcome.cursor.line_before != line_hash{};
  out.welcome.kind = compares ? welcome_kind::resume : welcome_kind::begin;
  out.welcome.forks = found.forks;
  out.welcome.largest_batch = limits_.largest_batch;
  out.welcome.window_bytes = limits_.window_bytes;
  out.welcome.silence_window_ms = static_cast<std::uint32_t>(limits_.silence_window.count());
  copy_ = found.copy;
  out.generation = copy_->generation();
  out.copy = std::move(found.copy);
  return out;
}

ingest::taken ingest::refused(node_refusal reason) {
  taken out;
  out.answer = node_answer{answer_kind::refused, {}, 0, reason};
  return out;
}

ingest::taken ingest::take(std::span<const char> message, byte_quota& quota, monotonic_time now) {
  if (!copy_) return refused(node_refusal::not_greeted);
  const auto lines = decode_lines(message);
  if (!lines || lines.message.raw_bytes > limits_.largest_batch) return refused(node_refusal::malformed);
  const auto busy = [](std::chrono::milliseconds pause, std::error_code failure) {
    taken out;
    out.failure = failure;
    out.answer = node_answer{answer_kind::busy,
                             {},
                             static_cast<std::uint32_t>(pause.count()),
                             failure ? node_refusal::storage_failed : node_refusal::none};
    return out;
  };
  const auto& said = lines.message;
  const auto end = copy_->end_position();
  taken out;
  if (said.after != end) {
    out.answer = node_answer{answer_kind::again, end};
    return out;
  }
  const auto text = unpack_lines(said);
  if (!text) return refused(node_refusal::malformed);
  const auto cost = text->size() + (said.from == said.after ? 0 : quota_of_a_piece);
  if (const auto pause = quota.take(cost, now); pause.count() > 0) return busy(pause, {});
  if (signatures_ && signatures_->refuse(*text)) return refused(node_refusal::signature_refused);
  const auto appended = copy_->append(said.after, said.from, *text);
  if (appended.result == log_copy::outcome::failed) return busy(limits_.storage_pause, appended.failure);
  if (appended.result == log_copy::outcome::does_not_follow) {
    out.answer = node_answer{answer_kind::again, appended.end};
    return out;
  }
  out.copy = copy_;
  out.end = appended.end;
  out.generation = appended.generation;
  out.bytes = text->size();
  out.lines = said.line_count;
  return out;
}

node_answer ingest::settle(const log_copy& copy, segment_position end, bool durable) {
  if (durable) return {answer_kind::durable, end};
  return {answer_kind::again, copy.end_position()};
}

}  // namespace cellos
