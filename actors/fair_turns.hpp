#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <utility>

namespace cellos {

/// Work of many owners, served in turn by its cost: a deficit round robin. Whoever queues much waits behind himself.
///
/// What one owner queued stays in its order. An owner that is set aside keeps its queue and gets no turn until it is
/// brought back.
template <class Owner, class Work, class Order = std::less<Owner>>
class fair_turns {
 public:
  void push(const Owner& owner, std::uint64_t cost, Work work) {
    const auto [entry, added] = queues_.try_emplace(owner);
    entry->second.items.push_back({cost, std::move(work)});
    if (added) rotation_.push_back(owner);
  }

  /// Whether anybody may be served.
  bool ready() const { return !rotation_.empty(); }
  bool empty() const { return queues_.empty(); }
  bool waits(const Owner& owner) const { return queues_.contains(owner); }

  struct item {
    std::uint64_t cost = 0;
    Work work;
  };

  /// The item whose turn it is; `take` takes it out, `set_aside` leaves it. Needs `ready`. An owner may cost `quantum`
  /// in one turn, at least 1; what costs more is saved up for, turn by turn.
  const item& next(std::uint64_t quantum) {
    while (true) {
      queue& first = queues_.at(rotation_.front());
      if (!first.in_turn) {
        first.deficit += quantum;
        first.in_turn = true;
      }
      if (first.items.front().cost <= first.deficit) return first.items.front();
      pass_on();
    }
  }

  /// Whose item `next` answered with.
  const Owner& owner() const { return rotation_.front(); }

  /// Takes out what `next` answered with, at `cost`: it may have cost less than was thought.
  item take(std::uint64_t cost) {
    queue& first = queues_.at(rotation_.front());
    item taken = std::move(first.items.front());
    first.items.pop_front();
    first.deficit -= std::min(first.deficit, cost);
    if (first.items.empty()) {
      queues_.erase(rotation_.front());
      rotation_.pop_front();
    }
    return taken;
  }

  /// The owner whose turn it is gets none until `bring_back`.
  void set_aside() {
    queue& first = queues_.at(rotation_.front());
    first.in_turn = false;
    first.deficit = 0;
    aside_.insert(rotation_.front());
    rotation_.pop_front();
  }

  void bring_back() {
    for (const Owner& owner : aside_) rotation_.push_back(owner);
    aside_.clear();
  }

  /// Everything one owner has queued, which is no longer queued then.
  std::deque<item> take_all(const Owner& owner) {
    auto found = queues_.extract(owner);
    if (found.empty()) return {};
    aside_.erase(owner);
    std::erase(rotation_, owner);
    return std::move(found.mapped().items);
  }

 private:
  struct queue {
    std::deque<item> items;
    std::uint64_t deficit = 0;
    /// Its turn has begun and is not over.
    bool in_turn = false;
  };

  void pass_on() {
    queues_.at(rotation_.front()).in_turn = false;
    rotation_.push_back(rotation_.front());
    rotation_.pop_front();
  }

  std::map<Owner, queue, Order> queues_;
  std::deque<Owner> rotation_;
  std::set<Owner, Order> aside_;
};

}  // namespace cellos
