#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "messages/chain_position.hpp"
#include "messages/event_line.hpp"
#include "messages/event_seal.hpp"
#include "messages/event_types.hpp"
#include "messages/instants.hpp"
#include "messages/recovery_event.hpp"
#include "messages/timestamp.hpp"

namespace cellos {

/// Writes the events of one chain behind each other: numbers them, links each to the one before, and has them signed as
/// messages/event_types says. Each is a line in the form of messages/event_line.
///
/// Events are written in groups. What a group writes counts once it is committed; until then, and whenever something
/// throws, the chain is where it was, and the caller cuts the lines away again. What is the same in every line is
/// rendered once.
class chain_writer {
 public:
  /// Goes on behind `at`; `{NAME}` is a chain's beginning. Without a sealing, lines carry neither digests nor
  /// signatures. With another key than vouched for the chain last, the first group begins with that change.
  chain_writer(chain_position at, std::string_view source, std::string_view subject, const event_sealing_ptr& sealing);

  const std::string& chain() const { return chain_; }
  const event_sealing_ptr& sealing() const { return sealing_; }

  /// Begins a group. `write_key_change(former_key_id)` is to write the event that reports the change of keys, if it is
  /// due.
  template <class WriteKeyChange>
  void begin(WriteKeyChange&& write_key_change) {
    group_ = committed_;
    unsealed_.clear();
    if (group_.former_key_id.empty()) return;
    write_key_change(std::exchange(group_.former_key_id, {}));
  }

  /// `write_data(out)` appends the value of `data`, an object.
  template <class WriteData>
  void event(std::string& out, std::string_view time, event_type type, WriteData&& write_data) {
    event(out, time, type, seal_ ? kind_of(type) : seal_kind::chained, std::forward<WriteData>(write_data));
  }

  template <class WriteData>
  void event(std::string& out, wall_time time, event_type type, WriteData&& write_data) {
    event(out, timestamp_text{time}.view(), type, std::forward<WriteData>(write_data));
  }

  /// The event that reports a change of keys: both keys sign it where both are at hand.
  template <class WriteData>
  void key_change(std::string& out, wall_time time, event_type type, std::string_view former_key_id,
                  WriteData&& write_data) {
    const bool has_both = sealing_->former_key_id() == former_key_id;
    event(out, timestamp_text{time}.view(), type, has_both ? seal_kind::handover : seal_kind::signature,
          std::forward<WriteData>(write_data));
  }

  /// As many events of the group are unsigned as there may be.
  bool is_checkpoint_due() const { return group_.unsigned_events >= most_unsigned_events_; }

  /// Seals what the group has written so far, all of it in `out`. It is complete then, whatever becomes of the rest.
  void seal(std::string& out);
  /// Where the chain stands behind that.
  chain_position sealed_position() const { return position_of(group_); }

  /// Seals the rest; the group counts.
  void commit(std::string& out);

  /// Where the chain stands.
  chain_position position() const { return position_of(committed_); }
  /// Its last event; a sequence of 0 if there is none.
  event_place end() const;
  std::uint64_t next_event() const { return committed_.next_event; }
  /// Behind what the group has written.
  std::uint64_t next_in_group() const { return group_.next_event; }
  /// That no signature vouches for yet; 0 without a key.
  std::uint64_t unsigned_events() const { return committed_.unsigned_events; }

  /// Seals all further events with another key, or at another rate; the next group begins with the change of keys, if
  /// it is one. False if there is nothing to change: a chain that has no digests stays without.
  bool change_key(const event_sealing_ptr& sealing);

  /// What to go back to where a group counts that must not.
  class state;
  state save() const;
  void restore(const state& before);

 private:
  struct place {
    std::uint64_t next_event = 1;
    event_digest digest = no_event;
    std::uint64_t unsigned_events = 0;
    /// The key that vouched for the chain last, where it is not the sealing's.
    std::string former_key_id{};
  };

  template <class WriteData>
  void event(std::string& out, std::string_view time, event_type type, seal_kind kind, WriteData&& write_data) {
    rendered_event made;
    made.kind = kind;
    begin_line(out, made, sequence_text{group_.next_event}, time, type);
    made.data.begin = out.size();
    write_data(out);
    made.data.end = out.size();
    out += line_form::line_end;
    ++group_.next_event;
    if (!seal_) return;
    unsealed_.push_back(made);
    group_.unsigned_events = kind == seal_kind::chained && counts_unsigned_ ? group_.unsigned_events + 1 : 0;
  }

  seal_kind kind_of(event_type type) const {
    return signs_each_event_ || is_always_signed(type) ? seal_kind::signature : seal_kind::chained;
  }
  void begin_line(std::string& out, rendered_event& made, const sequence_text& number, std::string_view time,
                  event_type type) const;
  void seal_with(const event_sealing_ptr& sealing);
  chain_position position_of(const place& at) const;

  std::string chain_;
  std::string plain_source_;
  std::string plain_subject_;
  event_sealing_ptr sealing_;
  std::unique_ptr<event_seal> seal_;
  bool signs_each_event_ = false;
  bool counts_unsigned_ = false;
  std::uint64_t most_unsigned_events_ = 0;
  std::string head_;
  std::string source_;
  std::string subject_;
  std::string attributes_;
  place committed_;
  /// Behind what the group has written.
  place group_;
  /// Of the group. Kept between calls for its capacity.
  std::vector<rendered_event> unsealed_;
};

class chain_writer::state {
  friend class chain_writer;
  place committed_;
  event_sealing_ptr sealing_;
};

}  // namespace cellos
