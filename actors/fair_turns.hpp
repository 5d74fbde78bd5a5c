#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace cellos {

/// Work of many owners, served in turn by its cost: a deficit round robin. Whoever queues much waits behind himself.
///
/// What one owner queued stays in its order. An owner that is set aside keeps its queue and gets no turn until it is
/// brought back; `Order` is in which those are.
template <class Owner, class Work, class Order = std::less<Owner>>
class fair_turns {
 public:
  void push(const Owner& owner, std::uint64_t cost, Work work) {
    const auto [queued, added] = queues_.try_emplace(owner);
    queued->second.items.push_back({cost, std::move(work)});
    if (added) rotation_.push_back(&*queued);
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
      queue& first = rotation_.front()->second;
      if (!first.in_turn) {
        first.deficit += quantum;
        first.in_turn = true;
      }
      if (first.front().cost <= first.deficit) return first.front();
      pass_on();
    }
  }

  /// Whose item `next` answered with.
  const Owner& owner() const { return rotation_.front()->first; }

  /// Takes out what `next` answered with, at `cost`: it may have cost less than was thought.
  item take(std::uint64_t cost) {
    queue& first = rotation_.front()->second;
    item taken = first.pop_front();
    first.deficit -= std::min(first.deficit, cost);
    if (first.empty()) {
      queues_.erase(queues_.find(owner()));
      rotation_.pop_front();
    }
    return taken;
  }

  /// The owner whose turn it is gets none until `bring_back`.
  void set_aside() {
    queue& first = rotation_.front()->second;
    first.in_turn = false;
    first.deficit = 0;
    aside_.insert(owner());
    rotation_.pop_front();
  }

  void bring_back() {
    for (const Owner& owner : aside_) rotation_.push_back(&*queues_.find(owner));
    aside_.clear();
  }

  /// Everything one owner has queued, which is no longer queued then.
  std::vector<item> take_all(const Owner& owner) {
    const auto found = queues_.find(owner);
    if (found == queues_.end()) return {};
    aside_.erase(owner);
    std::erase(rotation_, &*found);
    std::vector<item> taken = found->second.take_all();
    queues_.erase(found);
    return taken;
  }

 private:
  /// Most queues hold one item and are gone again: one allocation, where a deque makes two.
  struct queue {
    std::vector<item> items;
    /// So many of them have been taken.
    std::size_t taken = 0;
    std::uint64_t deficit = 0;
    /// Its turn has begun and is not over.
    bool in_turn = false;

    bool empty() const { return taken == items.size(); }
    const item& front() const { return items[taken]; }
    item pop_front() {
      item first = std::move(items[taken++]);
      if (taken >= most_taken && taken * 2 >= items.size()) drop_taken();
      return first;
    }
    std::vector<item> take_all() {
      drop_taken();
      return std::move(items);
    }
    void drop_taken() {
      items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(std::exchange(taken, 0)));
    }
  };
  using entry = typename std::unordered_map<Owner, queue>::value_type;

  /// Taken items that are kept until they are half of all. Chosen here.
  static constexpr std::size_t most_taken = 64;

  void pass_on() {
    rotation_.front()->second.in_turn = false;
    rotation_.push_back(rotation_.front());
    rotation_.pop_front();
  }

  std::unordered_map<Owner, queue> queues_;
  /// Entries of `queues_`, which stay where they are.
  std::deque<entry*> rotation_;
  std::set<Owner, Order> aside_;
};

}  // namespace cellos
