#include "messages/chain_writer.hpp"

#include <limits>
#include <utility>

#include "messages/json_text.hpp"

namespace cellos {

namespace {

/// As JSON spells it, without its quotes.
std::string bare(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out.substr(1, out.size() - 2);
}

std::string operator+(std::string text, std::string_view more) { return text += more; }

}  // namespace

chain_writer::chain_writer(chain_position at, std::string_view source, std::string_view subject,
                           const event_sealing_ptr& sealing)
    : chain_(std::move(at.chain)), plain_source_(source), plain_subject_(subject) {
  using namespace line_form;
  head_ = std::string{before_id} + bare(event_id_begin(chain_));
  source_ = std::string{before_source} + bare(source) + before_type + event_type_prefix;
  subject_ = std::string{before_subject} + bare(subject) + before_time;
  attributes_ = std::string{before_chain} + bare(chain_) + before_sequence;
  committed_.next_event = at.next_event;
  committed_.digest = at.digest;
  if (sealing && !sealing->key_id().empty() && at.key_id != sealing->key_id()) committed_.former_key_id = at.key_id;
  group_ = committed_;
  seal_with(sealing);
}

void chain_writer::seal_with(const event_sealing_ptr& sealing) {
  auto seal = sealing ? sealing->begin({chain_, plain_source_, plain_subject_}) : nullptr;
  sealing_ = sealing;
  seal_ = std::move(seal);
  signs_each_event_ = sealing && sealing->events_per_signature() == 1;
  counts_unsigned_ = sealing && !signs_each_event_ && !sealing->key_id().empty();
  most_unsigned_events_ =
      counts_unsigned_ ? sealing->events_per_signature() : std::numeric_limits<std::uint64_t>::max();
  unsealed_.clear();
}

void chain_writer::begin_line(std::string& out, rendered_event& made, const sequence_text& number,
                              std::string_view time, event_type type) const {
  const auto append = [&out](std::string_view text) {
    const std::size_t begin = out.size();
    out += text;
    return rendered_event::piece{begin, out.size()};
  };
  out += head_;
  out += number.view();
  out += source_;
  made.type = append(name_of(type));
  made.type.begin -= event_type_prefix.size();
  out += subject_;
  made.time = append(time);
  out += attributes_;
  made.sequence = append(number.view());
  if (seal_) made.placeholder = append(seal_->placeholder(made.kind));
  out += line_form::before_data;
}

void chain_writer::seal(std::string& out) {
  if (unsealed_.empty()) return;
  group_.digest = seal_->seal(out, unsealed_, group_.digest);
  unsealed_.clear();
}

void chain_writer::commit(std::string& out) {
  seal(out);
  committed_ = group_;
}

chain_position chain_writer::position_of(const place& at) const {
  const bool is_sealed = sealing_ != nullptr;
  return {chain_, at.next_event, is_sealed, at.digest,
          at.former_key_id.empty() && is_sealed ? sealing_->key_id() : at.former_key_id};
}

event_place chain_writer::end() const {
  return {committed_.next_event - 1, sealing_ ? sealing_->digest_text(committed_.digest) : std::string{}};
}

bool chain_writer::change_key(const event_sealing_ptr& sealing) {
  const event_sealing_ptr before = sealing_;
  if (!before || !sealing || before == sealing) return false;
  seal_with(sealing);
  if (before->key_id() != sealing->key_id() && committed_.former_key_id.empty()) {
    committed_.former_key_id = before->key_id();
  }
  return true;
}

chain_writer::state chain_writer::save() const {
  state now;
  now.committed_ = committed_;
  now.sealing_ = sealing_;
  return now;
}

void chain_writer::restore(const state& before) {
  if (sealing_ != before.sealing_) seal_with(before.sealing_);
  committed_ = before.committed_;
}

}  // namespace cellos
