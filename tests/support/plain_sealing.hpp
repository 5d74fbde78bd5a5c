#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "messages/event_line.hpp"
#include "messages/event_seal.hpp"

namespace cellos::test {

/// What a test decides of all seals of a sealing.
struct seal_script {
  /// That many more calls of `seal` work, and then one throws.
  int calls_until_failure = 1'000'000;
  /// Whether `digest_text` throws.
  bool has_no_text = false;
  /// Kinds of all events that were sealed, in order: `c`, `s` or `h`.
  std::string kinds;
};

/// Whether `act` ends as a seal does that cannot sign.
template <class Act>
bool fails_to_sign(Act&& act) {
  try {
    act();
  } catch (const std::runtime_error&) {
    return true;
  }
  return false;
}

/// Without a hash or a key: an event's digest is its sequence and the first byte of the digest before it, which
/// distinguishes links.
class plain_seal final : public event_seal {
 public:
  explicit plain_seal(std::shared_ptr<seal_script> script) : script_(std::move(script)) {}

  std::string_view placeholder(seal_kind) const override { return blank_; }

  event_digest seal(std::string& lines, std::span<const rendered_event> events, event_digest before) override {
    if (script_->calls_until_failure-- == 0) throw std::runtime_error{"the key does not sign"};
    for (const rendered_event& event : events) {
      script_->kinds += event.kind == seal_kind::chained ? 'c' : event.kind == seal_kind::signature ? 's' : 'h';
      const auto last_digit = static_cast<std::uint8_t>(lines[event.sequence.end - 1]);
      before = event_digest{last_digit, before[0]};
    }
    return before;
  }

 private:
  std::shared_ptr<seal_script> script_;
  std::string blank_ = std::string{line_form::before_prevdigest} + std::string(prevdigest_length, 'A') +
                       std::string{line_form::before_signedextattrs} + std::string{chain_extensions};
};

class plain_sealing final : public event_sealing {
 public:
  plain_sealing(std::string key_id, std::string former_key_id, std::uint64_t events_per_signature,
                std::shared_ptr<seal_script> script)
      : key_id_(std::move(key_id)),
        former_key_id_(std::move(former_key_id)),
        events_per_signature_(events_per_signature),
        script_(std::move(script)) {}

  std::unique_ptr<event_seal> begin(const chain_constants&) const override {
    return std::make_unique<plain_seal>(script_);
  }
  const std::string& key_id() const override { return key_id_; }
  const std::string& former_key_id() const override { return former_key_id_; }
  std::uint64_t events_per_signature() const override { return events_per_signature_; }
  signing_statement statement() const override { return {}; }
  std::string digest_text(const event_digest& digest) const override {
    if (script_->has_no_text) throw std::runtime_error{"no memory for the text"};
    return std::to_string(digest[0]);
  }

 private:
  std::string key_id_;
  std::string former_key_id_;
  std::uint64_t events_per_signature_;
  std::shared_ptr<seal_script> script_;
};

}  // namespace cellos::test
