#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "messages/event_seal.hpp"

namespace cellos {

inline constexpr std::string_view event_type_prefix = "dev.cellos.events.cell.observability.";

/// An event's place in its chain, padded with zeros, so that text order is number order. Made once: every event holds
/// it twice.
class sequence_text {
 public:
  static constexpr std::size_t digits = 20;

  explicit sequence_text(std::uint64_t sequence) {
    digits_.fill('0');
    for (std::size_t i = digits_.size(); sequence != 0; sequence /= 10) {
      digits_[--i] = static_cast<char>('0' + sequence % 10);
    }
  }
  std::string_view view() const { return {digits_.data(), digits_.size()}; }

 private:
  std::array<char, digits> digits_;
};

/// Renders the lines of one chain, each a CloudEvent 1.0 in structured JSON with its newline:
///
///     head SEQUENCE source TYPE subject TIME attributes SEQUENCE " [seal] ,"data": DATA }\n
///
/// `data` comes last, so that a verifier finds its exact bytes between `"data":` and the line's closing brace. What is
/// the same in every line is rendered once.
class chain_lines {
 public:
  /// Without a sealing, lines carry neither digests nor signatures.
  chain_lines(std::string chain, std::string_view source, std::string_view subject, const event_sealing_ptr& sealing);

  const std::string& chain() const { return chain_; }
  const event_sealing_ptr& sealing() const { return sealing_; }
  /// Events from here on are sealed with another key.
  void reseal(const event_sealing_ptr& sealing);

  /// `write_data(out)` appends the value of `data`, an object.
  template <class WriteData>
  void event(std::string& out, std::uint64_t sequence, std::string_view time, std::string_view type, seal_kind kind,
             WriteData&& write_data) {
    const sequence_text number{sequence};
    rendered_event made;
    made.kind = kind;
    begin(out, made, number, time, type);
    made.data.begin = out.size();
    write_data(out);
    made.data.end = out.size();
    out += "}\n";
    if (seal_) unsealed_.push_back(made);
  }

  /// Seals what was rendered since the last call, all of it in `out`. A failure leaves nothing to seal.
  event_digest seal(std::string& out, event_digest before);
  /// The lines rendered since the last `seal` are gone.
  void forget_unsealed() { unsealed_.clear(); }

 private:
  void begin(std::string& out, rendered_event& made, const sequence_text& number, std::string_view time,
             std::string_view type) const;

  std::string chain_;
  std::string plain_source_;
  std::string plain_subject_;
  event_sealing_ptr sealing_;
  std::unique_ptr<event_seal> seal_;
  std::string head_;
  std::string source_;
  std::string subject_;
  std::string attributes_;
  /// Kept between calls for its capacity.
  std::vector<rendered_event> unsealed_;
};

}  // namespace cellos
