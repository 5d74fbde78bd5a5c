#include "tests/simulation/world.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "messages/decode_chunk.hpp"
#include "runtime/evidence/torn_append.hpp"
#include "runtime/signing/journal_key.hpp"

namespace cellos::simulation {

namespace {

class simulated_intake final : public cell_intake {
 public:
  simulated_intake(std::shared_ptr<simulated_socket> socket, const simulated_sockets& sockets)
      : socket_(std::move(socket)), sockets_(sockets) {}
  ~simulated_intake() override { socket_->release(); }

  void attach(std::uint64_t generation, delivery deliver) override { socket_->attach(generation, std::move(deliver)); }
  void acknowledge(std::uint64_t sequence) override {
    socket_->acknowledge(sequence);
    for (const simulated_run& run : sockets_.runs) run.socket->budget_came_back();
  }
  void drain(std::function<void()> drained) override { socket_->drain(std::move(drained)); }
  chunk_ptr unacknowledged(std::uint64_t sequence) const override { return socket_->chunks.unacknowledged(sequence); }
  intake_counts counts() const override {
    intake_counts seen = socket_->counts;
    seen.connections_open = static_cast<std::uint32_t>(socket_->connections.size());
    seen.chunks_unacknowledged = socket_->chunks.unacknowledged();
    return seen;
  }

 private:
  std::shared_ptr<simulated_socket> socket_;
  const simulated_sockets& sockets_;
};

/// The last chunk of every acknowledgement keeps its credit.
class leaking_socket final : public simulated_socket {
 public:
  using simulated_socket::simulated_socket;
  void acknowledge(std::uint64_t sequence) override { simulated_socket::acknowledge(sequence - 1); }
};

/// Every delivery gets a number of its own: what comes again comes as something new.
class renumbering_socket final : public simulated_socket {
 public:
  using simulated_socket::simulated_socket;
  void attach(std::uint64_t generation, cell_intake::delivery deliver) override {
    simulated_socket::attach(generation, [this, deliver](const chunk_ptr& chunk) {
      auto renumbered = std::make_shared<received_chunk>(*chunk);
      originals_.push_back(chunk->sequence);
      renumbered->sequence = originals_.size();
      deliver(std::move(renumbered));
    });
  }
  void acknowledge(std::uint64_t handed_out) override { simulated_socket::acknowledge(originals_.at(handed_out - 1)); }

 private:
  std::vector<std::uint64_t> originals_;
};

constexpr std::size_t chunks_per_cell = 4;

}  // namespace

std::error_code simulated_log::append(std::string_view lines, std::span<const chain_head> heads) {
  if (full || died_) return std::make_error_code(std::errc::no_space_on_device);
  if (chance(random_, throw_per_mille)) throw std::runtime_error{"simulated fault in the log"};
  const std::size_t durable = bug_ == planted_bug::commit_before_sync ? text.size() : synced_;
  journal_.push_back({{1, text.size()}, lines.size(), {1, durable}, {heads.begin(), heads.end()}});
  if (std::exchange(dies_in_append_, false)) {
    died_ = true;
    text += lines.substr(0, below(random_, lines.size() + 1));
    return std::make_error_code(std::errc::io_error);
  }
  if (bug_ == planted_bug::acknowledge_before_append) {
    text += std::exchange(unwritten_, std::string{lines});
    return {};
  }
  text += lines;
  const std::size_t silenced = text.find("agent_silenced", text.size() - lines.size());
  if (bug_ == planted_bug::silence_reported_twice && silenced != std::string::npos) {
    const std::size_t begin = text.rfind('\n', silenced) + 1;
    text += text.substr(begin, text.find('\n', silenced) + 1 - begin);
  }
  return {};
}

void simulated_log::sync() {
  synced_ = text.size();
  records_synced_ = journal_.size();
}

void simulated_log::crash(death how) {
  unwritten_.clear();
  dies_in_append_ = died_ = false;
  if (how == death::power_lost) {
    ++boots_;
    text.resize(synced_ + below(random_, text.size() - synced_ + 1));
    journal_.resize(records_synced_ + below(random_, journal_.size() - records_synced_ + 1));
  }
  text.resize(text.rfind('\n') + 1);
  const journal_content left = journal();
  const journal_record* const torn = torn_append(left, {1, text.size()}, boot_id());
  if (torn != nullptr && bug_ != planted_bug::half_append_kept) text.resize(torn->begin.offset);
  sync();
}

journal_content simulated_log::journal() const {
  journal_content content;
  content.header.emplace();
  content.header->boot_id = "boot-1";
  content.header->begin = content.header->committed = {1, 0};
  content.records = journal_;
  return content;
}

recovery_terms simulated_log::left(const event_sealing_ptr& sealing) const {
  recovery_terms known;
  known.journal = journal();
  known.journal.header->host_id = "host-a";
  known.journal.header->signing = statement_of(sealing);
  known.boot_id = boot_id();
  known.keys = own_keys(sealing);
  return known;
}

void simulated_log::heal() {
  full = false;
  throw_per_mille = 0;
}

telemetry_sockets::binding simulated_sockets::bind(const cell_specification& cell) {
  std::shared_ptr<simulated_socket> socket;
  if (bug_ == planted_bug::credit_leak) {
    socket = std::make_shared<leaking_socket>(chunks_per_cell, budget_);
  } else if (bug_ == planted_bug::replay_renumbered) {
    socket = std::make_shared<renumbering_socket>(chunks_per_cell, budget_);
  } else {
    socket = std::make_shared<simulated_socket>(chunks_per_cell, budget_);
  }
  socket->next_number = socket->first_number = 1 + 1'000'000 * runs.size();
  runs.push_back({cell.cell_id, cell.run_id, socket, false});
  return {std::make_shared<simulated_intake>(socket, *this), {telemetry_errc::none, {}}};
}

simulated_socket* simulated_sockets::of(const std::string& cell_id) {
  const auto latest = std::find_if(runs.rbegin(), runs.rend(), [&](const auto& run) { return run.cell_id == cell_id; });
  return latest == runs.rend() ? nullptr : latest->socket.get();
}

std::optional<std::string> simulated_quarantine::set_aside(std::string_view cell_id, const received_chunk& chunk) {
  if (simulated_socket* socket = sockets_.of(std::string{cell_id})) {
    socket->records[chunk.sequence].quarantined = true;
  }
  return std::string{cell_id} + ".bin";
}

batch simulated_decoder::operator()(chunk_ptr chunk, host_stamp_ptr run) const {
  if (chance(*random, *throw_per_mille)) throw std::runtime_error{"simulated fault in the decoder"};
  batch decoded = decode_chunk(std::move(chunk), std::move(run));
  for (const guest_declaration& declared : decoded.declarations) {
    if (declared.guest_comm == "poison") throw std::runtime_error{"simulated poison"};
  }
  return decoded;
}

}  // namespace cellos::simulation
