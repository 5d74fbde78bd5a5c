#include "runtime/jetstream/stream_inquiry.hpp"

#include <algorithm>

#include "runtime/jetstream/event_subject.hpp"
#include "runtime/jetstream/nats_handles.hpp"

namespace cellos {

namespace {

std::string_view header_of(natsMsg* message, const char* name) {
  const char* value = nullptr;
  return natsMsgHeader_Get(message, name, &value) == NATS_OK ? value : "";
}

stream_tail::message read_message(natsMsg* message) {
  stream_tail::message out;
  out.sequence = natsMsg_GetSequence(message);
  out.place = parse_log_place(header_of(message, stream_headers::log_position));
  const std::string_view content{natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))};
  out.line = last_line_of(content, header_of(message, stream_headers::content_type) == stream_headers::batch_type);
  return out;
}

}  // namespace

std::string stream_inquiry::create_stream() {
  const jetstream_settings& wanted = settings_.stream;
  const event_subjects subjects{wanted.prefix, settings_.host_id};
  const std::string all = wanted.prefix + ".>";
  const char* subject = wanted.fence == stream_fence::stream ? subjects.all().c_str() : all.c_str();
  jsStreamConfig made;
  jsStreamConfig_Init(&made);
  made.Name = wanted.stream.c_str();
  made.Subjects = &subject;
  made.SubjectsLen = 1;
  jsErrCode code{};
  const auto status = js_AddStream(nullptr, jetstream_, &made, nullptr, &code);
  return status == NATS_OK ? "" : "the stream cannot be created: " + failure_of(status);
}

/// Why the stream is not one to deliver to, if so.
std::string stream_inquiry::check_stream(stream_tail& into, std::string& failure) {
  const jetstream_settings& wanted = settings_.stream;
  jsErrCode code{};
  owned_stream_info info;
  auto status = js_GetStreamInfo(&info, jetstream_, wanted.stream.c_str(), nullptr, &code);
  if (status == NATS_NOT_FOUND || code == JSStreamNotFoundErr) {
    if (!wanted.create_stream)
      return "there is no stream " + wanted.stream + "; create it, or set create_stream = true";
    if (std::string refused = create_stream(); !refused.empty()) return refused;
    status = js_GetStreamInfo(&info, jetstream_, wanted.stream.c_str(), nullptr, &code);
  }
  if (status != NATS_OK) {
    if (status == NATS_NO_RESPONDERS || code != 0) return "JetStream does not answer: " + failure_of(status);
    failure = "JetStream does not answer: " + failure_of(status);
    return {};
  }
  // An answer need not have what the library looks for in it, and whoever may answer requests wrote it.
  if (info.get() == nullptr || info.get()->Config == nullptr) {
    failure = "JetStream's answer has no configuration of the stream";
    return {};
  }
  const jsStreamConfig& config = *info.get()->Config;
  if (config.Retention != js_LimitsPolicy) {
    return "the stream removes what was consumed (its retention is not by limits): what it has says nothing then";
  }
  const std::string begin = wanted.prefix + '.';
  for (int i = 0; wanted.fence == stream_fence::stream && i < config.SubjectsLen; ++i) {
    if (std::string_view{config.Subjects[i]}.starts_with(begin)) continue;
    return "the stream takes " + std::string{config.Subjects[i]} + " too, and fence = \"stream\" is for a stream of " +
           begin + "> alone";
  }
  into.first_sequence = info.get()->State.FirstSeq;
  into.last_sequence = info.get()->State.LastSeq;
  if (config.MaxBytes > 0 && config.Discard == js_DiscardNew) {
    into.used_bytes = info.get()->State.Bytes;
    into.max_bytes = static_cast<std::uint64_t>(config.MaxBytes);
  }
  return {};
}

/// False if there is none, or with a failure.
bool stream_inquiry::read_newest(const char* subject, stream_tail::message& into, std::string& failure) {
  owned_message newest;
  jsErrCode code{};
  // The leader answers; the direct way may be behind it.
  const auto status = js_GetLastMsg(&newest, jetstream_, settings_.stream.stream.c_str(), subject, nullptr, &code);
  if (status == NATS_OK) {
    into = read_message(newest.get());
    return true;
  }
  if (status != NATS_NOT_FOUND && code != JSNoMessageFoundErr) failure = failure_of(status);
  return false;
}

/// After a kill or a loss of power a server (seen with 2.9.10) may name a message as the newest that is behind the
/// stream's last sequence, and that the next one will take the place of. What counts is what is before it.
void stream_inquiry::look_back(stream_tail& found, std::string_view own_begin, std::string& failure) {
  constexpr std::uint64_t most_steps = 256;
  const auto last = found.last_sequence;
  found.own.reset();
  for (std::uint64_t sequence = last; sequence > 0 && last - sequence < most_steps; --sequence) {
    owned_message there;
    jsErrCode code{};
    const auto status = js_GetMsg(&there, jetstream_, settings_.stream.stream.c_str(), sequence, nullptr, &code);
    if (status == NATS_NOT_FOUND || code == JSNoMessageFoundErr) continue;
    if (status != NATS_OK) {
      failure = failure_of(status);
      return;
    }
    if (!std::string_view{natsMsg_GetSubject(there.get())}.starts_with(own_begin)) continue;
    found.own = read_message(there.get());
    found.newest = std::min(found.newest, last);
    return;
  }
  found.refusal = "the server's newest message of this host is behind its last sequence, " + std::to_string(last);
}

/// Nothing, with a failure, if the server does not answer.
std::optional<stream_tail> stream_inquiry::tail(std::string& failure) {
  const jetstream_settings& wanted = settings_.stream;
  const event_subjects subjects{wanted.prefix, settings_.host_id};
  const bool is_shared = wanted.fence == stream_fence::subject;
  stream_tail found;
  // What was on its way from a connection before this one may be stored between two questions.
  constexpr int most_questions = 3;
  for (int i = 0; i < most_questions && failure.empty(); ++i) {
    found = {};
    found.refusal = check_stream(found, failure);
    if (!failure.empty() || !found.refusal.empty()) break;
    stream_tail::message newest;
    if (!is_shared && read_newest(">", newest, failure)) found.newest = newest.sequence;
    if (failure.empty() &&
        read_newest(is_shared ? subjects.batches().c_str() : subjects.all().c_str(), newest, failure)) {
      found.own = newest;
      found.own_fence = newest.sequence;
    }
    if (!found.own || found.own->sequence <= found.last_sequence) break;
  }
  if (failure.empty() && found.refusal.empty() && found.own && found.own->sequence > found.last_sequence) {
    look_back(found, is_shared ? std::string_view{subjects.batches()} : std::string_view{subjects.begin()}, failure);
  }
  if (!failure.empty()) return std::nullopt;
  return found;
}

}  // namespace cellos
