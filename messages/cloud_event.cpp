// One line, piece by piece (constant pieces are rendered once a run):
//
//   head_ SEQUENCE source_ TYPE subject_ TIME chain_attributes_ SEQUENCE ","data": DATA }\n
//
// `data` comes last, so that a verifier finds its exact bytes between `"data":` and the line's closing brace.

#include "messages/cloud_event.hpp"

#include <algorithm>
#include <utility>

#include "messages/json_text.hpp"
#include "messages/wire_format.hpp"

namespace cellos {

namespace {

constexpr std::size_t sequence_digits = 20;

/// Padded with zeros, so that text order is number order. Made once: every event holds it twice.
class sequence_text {
 public:
  explicit sequence_text(std::uint64_t sequence) {
    digits_.fill('0');
    for (std::size_t i = digits_.size(); sequence != 0; sequence /= 10) {
      digits_[--i] = static_cast<char>('0' + sequence % 10);
    }
  }
  std::string_view view() const { return {digits_.data(), digits_.size()}; }

 private:
  std::array<char, sequence_digits> digits_;
};

std::string quoted(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

/// `quoted` without its closing quote, to be continued.
std::string open_quoted(std::string_view text) {
  std::string out = quoted(text);
  out.pop_back();
  return out;
}

std::string declaration_type(std::string_view source_name) {
  std::string verb{source_name};
  std::replace(verb.begin(), verb.end(), '.', '_');
  return std::string{event_type_prefix} + "guest.v1." + verb;
}

/// The ADG block: what kind of knowledge an event is.
struct authority {
  std::string_view epistemic_status;
  std::string_view rule_class;
  std::uint64_t tier;
};
constexpr authority declared_by_guest{"declared", "guestAgentDeclaration", 1};
constexpr authority observed_by_host{"observed", "rawObservation", 2};
/// The absence of declarations, which is itself an observation.
constexpr authority observed_absence{"observed", "opacity", 2};

void append_output(std::string& out, const authority& known) {
  json::object_writer output{out};
  output.text("epistemicStatus", known.epistemic_status);
  output.text("ruleClass", known.rule_class);
  output.number("tier", known.tier);
}

auto output_of(const authority& known) {
  return [&known](std::string& out) { append_output(out, known); };
}

auto refusals(const refusal_counts& refused) {
  return [&refused](std::string& out) {
    json::object_writer kinds{out};
    kinds.count("framing_lost", refused[telemetry_errc::framing_lost]);
    kinds.count("malformed_frame", refused[telemetry_errc::malformed_frame]);
    kinds.count("torn_frame", refused[telemetry_errc::torn_frame]);
    kinds.count("unknown_probe_source", refused[telemetry_errc::unknown_probe_source]);
    kinds.count("unsupported_version", refused[telemetry_errc::unsupported_version]);
  };
}

std::uint64_t count_of(std::chrono::nanoseconds duration) { return static_cast<std::uint64_t>(duration.count()); }

}  // namespace

run_projection::run_projection(host_stamp_ptr attribution, std::string chain)
    : attribution_(std::move(attribution)), chain_(std::move(chain)) {
  const host_stamp& who = *attribution_;
  head_ = R"({"specversion":"1.0","id":)" + open_quoted(chain_ + "/");
  source_ = R"(","source":)" + quoted("/cellos/host/" + who.host_id) + R"(,"type":")";
  subject_ = R"(","subject":)" + quoted("urn:cellos:cell:" + who.cell_id) + R"(,"time":")";
  chain_attributes_ = R"(","datacontenttype":"application/json","chain":)" + quoted(chain_) + R"(,"sequence":")";
  declaration_data_ = R"(","data":{"cellId":)" + quoted(who.cell_id) + R"(,"guestComm":)";
  for (std::size_t i = 0; i < probe_source_names.size(); ++i) {
    declaration_types_[i] = declaration_type(probe_source_names[i]);
    std::string output;
    append_output(output, declared_by_guest);
    declaration_tails_[i] = R"(","output":)" + output + R"(,"probeSource":)" + quoted(probe_source_names[i]) +
                            R"(,"runId":)" + quoted(who.run_id) + R"(,"specSignatureHash":)" +
                            quoted(who.spec_signature_hash) + "}}\n";
  }
}

void run_projection::declaration(std::string& out, std::uint64_t sequence, const timestamp_text& received,
                                 const guest_declaration& declared) const {
  const auto source = static_cast<std::size_t>(declared.source);
  const sequence_text number{sequence};
  out += head_;
  out += number.view();
  out += source_;
  out += declaration_types_[source];
  out += subject_;
  out += received.view();
  out += chain_attributes_;
  out += number.view();
  out += declaration_data_;
  json::append_string(out, declared.guest_comm);
  out += R"(,"guestMonotonicNs":")";
  json::append_decimal(out, declared.guest_monotonic_ns);
  out += R"(","guestPid":)";
  json::append_decimal(out, declared.guest_pid);
  out += R"(,"hostReceivedAt":")";
  out += received.view();
  out += declaration_tails_[source];
}

template <class WriteData>
void run_projection::event(std::string& out, std::uint64_t sequence, wall_time time, std::string_view type,
                           WriteData&& data) const {
  const sequence_text number{sequence};
  out += head_;
  out += number.view();
  out += source_;
  out += event_type_prefix;
  out += type;
  out += subject_;
  out += timestamp_text{time}.view();
  out += chain_attributes_;
  out += number.view();
  out += R"(","data":)";
  {
    json::object_writer object{out};
    data(object);
  }
  out += "}\n";
}

void run_projection::run_started(std::string& out, std::uint64_t sequence, wall_time now,
                                 const run_opening& opening) const {
  opened(out, sequence, now, event_type::run_started, opening);
}

void run_projection::run_resumed(std::string& out, std::uint64_t sequence, wall_time now,
                                 const run_opening& opening) const {
  opened(out, sequence, now, event_type::run_resumed, opening);
}

void run_projection::opened(std::string& out, std::uint64_t sequence, wall_time now, std::string_view type,
                            const run_opening& opening) const {
  event(out, sequence, now, type, [&](json::object_writer& data) {
    data.text("cellId", attribution_->cell_id);
    data.text("daemonVersion", opening.daemon_version);
    data.text("hostId", attribution_->host_id);
    data.member("output", output_of(observed_by_host));
    data.text("runId", attribution_->run_id);
    data.count("silenceWindowNs", count_of(opening.silence_window));
    data.text("specSignatureHash", attribution_->spec_signature_hash);
    data.number("wireContentVersionMajor", wire::wire_content_version_major);
  });
}

void run_projection::run_ended(std::string& out, std::uint64_t sequence, wall_time now, run_end_reason reason,
                               const run_totals& totals) const {
  event(out, sequence, now, event_type::run_ended, [&](json::object_writer& data) {
    data.text("cellId", attribution_->cell_id);
    data.member("output", output_of(observed_by_host));
    data.text("reason", to_string(reason));
    data.text("runId", attribution_->run_id);
    data.text("specSignatureHash", attribution_->spec_signature_hash);
    data.member("totals", [&](std::string& to) {
      json::object_writer books{to};
      books.count("appended", totals.appended);
      books.count("connections", totals.connections);
      books.count("forgedAttribution", totals.forged_attribution);
      books.count("heartbeats", totals.heartbeats);
      books.count("inFlight", totals.in_flight());
      books.count("quarantined", totals.quarantined);
      books.count("received", totals.received);
      books.member("refused", refusals(totals.refused));
    });
  });
}

void run_projection::agent_silenced(std::string& out, std::uint64_t sequence, wall_time now,
                                    const cellos::agent_silenced& silence) const {
  event(out, sequence, now, event_type::agent_silenced, [&](json::object_writer& data) {
    data.text("cellId", attribution_->cell_id);
    data.member("output", output_of(observed_absence));
    data.text("runId", attribution_->run_id);
    data.count("silenceWindowNs", count_of(silence.window));
    data.count("silentForNs", count_of(silence.observed - silence.last_accepted));
    data.text("specSignatureHash", attribution_->spec_signature_hash);
  });
}

void run_projection::agent_resumed(std::string& out, std::uint64_t sequence, wall_time received) const {
  event(out, sequence, received, event_type::agent_resumed, [&](json::object_writer& data) {
    data.text("cellId", attribution_->cell_id);
    data.member("output", output_of(observed_by_host));
    data.text("runId", attribution_->run_id);
    data.text("specSignatureHash", attribution_->spec_signature_hash);
  });
}

void run_projection::telemetry_dropped(std::string& out, std::uint64_t sequence, wall_time now,
                                       const telemetry_loss& loss) const {
  event(out, sequence, now, event_type::telemetry_dropped, [&](json::object_writer& data) {
    data.text("cellId", attribution_->cell_id);
    if (loss.frames) data.count("frames", *loss.frames);
    data.member("output", output_of(observed_by_host));
    if (loss.reason == loss_reason::quarantined) data.text("quarantineFile", loss.file);
    data.text("reason", to_string(loss.reason));
    if (loss.reason == loss_reason::frames_refused) data.member("refused", refusals(loss.refused));
    data.text("runId", attribution_->run_id);
    data.text("specSignatureHash", attribution_->spec_signature_hash);
  });
}

}  // namespace cellos
