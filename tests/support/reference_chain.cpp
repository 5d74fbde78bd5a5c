#include "tests/support/reference_chain.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include "messages/timestamp.hpp"
#include "runtime/signing/dsse.hpp"
#include "runtime/text/base64.hpp"

namespace cellos::test {

namespace {

constexpr std::string_view type_prefix = "dev.cellos.events.cell.observability.";
constexpr std::string_view output_block =
    R"("output":{"epistemicStatus":"declared","ruleClass":"guestAgentDeclaration","tier":1})";

std::string base64(std::span<const std::uint8_t> bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

/// By the text of the convention, attribute by attribute.
digest material_by_the_text(const std::vector<std::string>& values) {
  std::string digests;
  for (const std::string& value : values) {
    const digest each = sha256::of(value);
    digests.append(each.begin(), each.end());
  }
  return sha256::of(digests);
}

std::string envelope(const digest& material, const std::vector<const signing_key*>& signers) {
  const std::string type{dsse::payload_type};
  const std::string message =
      "DSSEv1 " + std::to_string(type.size()) + " " + type + " 32 " + std::string{material.begin(), material.end()};
  std::string json = R"({"payload":")" + base64(material) + R"(","payloadType":")" + type + R"(","signatures":[)";
  for (const signing_key* each : signers) {
    if (each != signers.front()) json += ',';
    json += R"({"keyid":")" + each->key_id() + R"(","sig":")" + base64(each->sign(bytes_of(message)).view()) + R"("})";
  }
  json += "]}";
  return base64(bytes_of(json));
}

}  // namespace

reference_chain::reference_chain(std::string host, std::string cell, std::string run, const std::string& epoch,
                                 const signing_key* key)
    : host_(std::move(host)), cell_(std::move(cell)), run_(std::move(run)), key_(key) {
  chain_ = cell_.empty() ? host_ + "/" + epoch : host_ + "/" + cell_ + "/" + run_ + "/" + epoch;
}

std::string reference_chain::last_digest() const { return base64(last_); }

std::string reference_chain::line(std::string_view type, std::string_view data, bool sign) {
  if (!sign || key_ == nullptr) return line_signed_by(type, data, {});
  return line_signed_by(type, data, {key_});
}

std::string reference_chain::line_signed_by(std::string_view type, std::string_view data,
                                            const std::vector<const signing_key*>& signers) {
  ++sequence_;
  const std::string number = fmt::format("{:020}", sequence_);
  const std::string id = chain_ + "/" + number;
  const std::string source = "/cellos/host/" + host_;
  const std::string full_type = std::string{type_prefix} + std::string{type};
  const std::string subject = cell_.empty() ? "urn:cellos:host:" + host_ : "urn:cellos:cell:" + cell_;
  const wall_time at{
      std::chrono::nanoseconds{1'767'225'600'000'000'000 + static_cast<std::int64_t>(sequence_) * 1'000'003}};
  const std::string time{timestamp_text{at}.view()};
  std::string text = R"({"specversion":"1.0","id":")" + id + R"(","source":")" + source + R"(","type":")" + full_type +
                     R"(","subject":")" + subject + R"(","time":")" + time +
                     R"(","datacontenttype":"application/json","chain":")" + chain_ + R"(","sequence":")" + number +
                     '"';
  if (key_ != nullptr) {
    const std::string prevdigest = base64(last_);
    last_ = material_by_the_text({id, source, "1.0", full_type, "application/json", "", subject, time,
                                  std::string{data}, "chain", chain_, "sequence", number, "prevdigest", prevdigest});
    text += R"(,"prevdigest":")" + prevdigest + R"(","signedextattrs":"chain,sequence,prevdigest")";
    if (!signers.empty()) text += R"(,"dssematerial":")" + envelope(last_, signers) + '"';
  }
  return text + R"(,"data":)" + std::string{data} + "}\n";
}

std::string reference_chain::attribution(std::string_view before, std::string_view after) const {
  std::string out = R"({"cellId":")" + cell_ + R"(",)" + std::string{before};
  out += output_block;
  return out + "," + std::string{after} + R"("runId":")" + run_ + R"(","specSignatureHash":"sha256:9f86d081884c7d65"})";
}

std::string reference_chain::change_key(const signing_key& key) {
  const std::string ids = R"("formerKeyId":")" + key_->key_id() + R"(",)";
  const std::string new_id = R"("keyId":")" + key.key_id() + R"(",)";
  const std::vector<const signing_key*> both{key_, &key};
  key_ = &key;
  if (cell_.empty()) {
    return line_signed_by("host.v1.key_changed",
                          "{" + ids + R"("hostId":")" + host_ + R"(",)" + new_id + std::string{output_block} + "}",
                          both);
  }
  return line_signed_by("run.v1.key_changed", attribution(ids + new_id, ""), both);
}

std::string reference_chain::declaration(bool sign, std::string_view comm) {
  const std::string guest = fmt::format(
      R"("guestComm":"{}","guestMonotonicNs":"{}","guestPid":{},"hostReceivedAt":"2026-01-01T00:00:00.000000000Z",)",
      comm, 1000 + sequence_, 100 + sequence_ % 50);
  return line("guest.v1.process_spawned", attribution(guest, R"("probeSource":"process.spawned",)"), sign);
}

std::string reference_chain::started() {
  return line("run.v1.started", attribution(R"("daemonVersion":"0.1.0","hostId":")" + host_ + R"(",)", ""), true);
}

std::string reference_chain::ended(std::uint64_t appended) {
  // RFC 8785 order puts the reason and the totals around the attribution.
  std::string data = attribution("", R"("reason":"retired",)");
  data.pop_back();
  data += fmt::format(R"(,"totals":{{"appended":"{}","received":"{}"}}}})", appended, appended);
  return line("run.v1.ended", data, true);
}

std::string reference_chain::checkpoint() { return line("run.v1.checkpoint", attribution("", ""), true); }

std::string reference_chain::silenced() {
  std::string data = attribution("", "");
  data.pop_back();
  return line("guest.v1.agent_silenced", data + R"(,"silenceWindowNs":"10000000000"})", true);
}

std::string reference_chain::resumed(bool sign) { return line("guest.v1.agent_resumed", attribution("", ""), sign); }

std::string reference_chain::dropped(bool sign, std::string_view reason, std::uint64_t frames) {
  return line("guest.v1.telemetry_dropped",
              attribution(fmt::format(R"("frames":"{}",)", frames), fmt::format(R"("reason":"{}",)", reason)), sign);
}

std::string reference_chain::host_started() {
  return line("host.v1.started",
              R"({"daemonVersion":"0.1.0","hostId":")" + host_ + R"(",)" + std::string{output_block} + "}", true);
}

std::string reference_chain::host_stopped() {
  return line("host.v1.stopped", R"({"hostId":")" + host_ + R"(",)" + std::string{output_block} + "}", true);
}

std::string reference_chain::run_opened(const std::string& chain) {
  return line("host.v1.run_opened",
              R"({"chain":")" + chain + R"(","hostId":")" + host_ + R"(",)" + std::string{output_block} + "}", true);
}

std::string reference_chain::run_closed(const reference_chain& run) {
  const std::string last = run.key_ == nullptr ? "" : R"("lastDigest":")" + run.last_digest() + R"(",)";
  return line("host.v1.run_closed",
              R"({"chain":")" + run.chain() + R"(","hostId":")" + host_ + R"(",)" + last +
                  fmt::format(R"("lastSequence":"{}",)", run.last_sequence()) + std::string{output_block} + "}",
              true);
}

std::vector<std::string> sample_log(const sample& what) {
  std::vector<std::string> lines;
  std::vector<reference_chain> hosts;
  std::vector<reference_chain> runs;
  for (std::uint64_t h = 0; h < what.hosts; ++h) {
    const std::string host = fmt::format("host-{}", static_cast<char>('a' + h));
    hosts.emplace_back(host, "", "", "1767225600000", what.key);
    lines.push_back(hosts.back().host_started());
    for (std::uint64_t r = 0; r < what.runs_of_each; ++r) {
      runs.emplace_back(host, fmt::format("cell-{}", r + 1), fmt::format("run-{}", r + 1), "1767225600001", what.key);
      lines.push_back(hosts.back().run_opened(runs.back().chain()));
      lines.push_back(runs.back().started());
    }
  }
  const bool each = what.sign_every_event;
  for (std::uint64_t d = 0; d < what.declarations_of_each; ++d) {
    for (std::size_t r = 0; r < runs.size(); ++r) {
      reference_chain& run = runs[r];
      lines.push_back(run.declaration(each));
      if (d == 3 && r % 3 == 0) lines.push_back(run.silenced());
      if (d == 3 && r % 3 == 0) lines.push_back(run.resumed(each));
      if (d == 4 && r % 3 == 1) lines.push_back(run.dropped(each, "frames_refused", 7));
      if (d == 5 && r == 0 && what.next_key != nullptr) lines.push_back(run.change_key(*what.next_key));
      const bool due = (d + 1) % what.checkpoint_events == 0 && d + 1 < what.declarations_of_each;
      if (!each && due) lines.push_back(run.checkpoint());
    }
    if (d == 6 && what.next_key != nullptr) lines.push_back(hosts.front().change_key(*what.next_key));
  }
  for (std::size_t r = 0; r < runs.size(); ++r) {
    if (!what.finished && r % what.runs_of_each == what.runs_of_each - 1) continue;
    lines.push_back(runs[r].ended(what.declarations_of_each));
    lines.push_back(hosts[r / what.runs_of_each].run_closed(runs[r]));
  }
  for (reference_chain& host : hosts) {
    if (what.finished) lines.push_back(host.host_stopped());
  }
  return lines;
}

key_list keys_of(const std::vector<const signing_key*>& keys) {
  key_list list;
  for (const signing_key* each : keys) {
    const secret raw = each->export_secret();
    const auto point = each->public_key();
    list.add(each->key_id(), each->algorithm(), point.empty() ? raw.bytes() : std::span<const std::uint8_t>{point});
  }
  return list;
}

}  // namespace cellos::test
