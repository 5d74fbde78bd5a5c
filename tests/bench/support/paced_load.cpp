#include "tests/bench/support/paced_load.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <exception>
#include <optional>
#include <span>
#include <utility>

#include "messages/timestamp.hpp"
#include "messages/wire_format.hpp"
#include "runtime/guest_sim/connection.hpp"
#include "runtime/guest_sim/frame_maker.hpp"
#include "runtime/guest_sim/frame_writer.hpp"
#include "runtime/os/file_descriptor.hpp"
#include "runtime/segments/segment_reader.hpp"

namespace cellos::bench {

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

steady_time now() { return std::chrono::steady_clock::now(); }

void pause(nanoseconds duration) {
  const timespec time{duration / 1s, (duration % 1s).count()};
  if (duration > 0ns) ::ppoll(nullptr, 0, &time, nullptr);
}

std::string_view behind(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + mark.size());
  return text.substr(0, text.find('"'));
}

}  // namespace

double distribution::percentile(double percent) {
  if (milliseconds.empty()) return 0;
  std::sort(milliseconds.begin(), milliseconds.end());
  const double rank = std::ceil(percent / 100 * static_cast<double>(milliseconds.size()));
  return milliseconds[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

std::vector<std::uint8_t> frame_of(std::uint64_t monotonic_ns) {
  guest_sim::frame_writer writer;
  writer.start();
  guest_sim::declaration declared;
  declared.source = "process.spawned";
  declared.comm = "paced";
  declared.monotonic_ns = monotonic_ns;
  guest_sim::write_map(writer, declared);
  const auto bytes = writer.framed();
  return {bytes.begin(), bytes.end()};
}

bool connect_once(const std::string& socket, bool speak) {
  const file_descriptor fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket.data(), std::min(socket.size(), sizeof address.sun_path - 1));
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
  if (!speak) return true;
  const auto frame = frame_of(1);
  // The host may have closed already: that is an answer, too.
  [[maybe_unused]] const auto sent = ::send(fd.get(), frame.data(), frame.size(), MSG_NOSIGNAL);
  return true;
}

paced_guests::paced_guests(std::vector<std::string> sockets, double frames_per_second)
    : sockets_(std::move(sockets)),
      interval_(static_cast<std::int64_t>(1e9 / frames_per_second)),
      thread_([this] { run(); }) {}

paced_guests::~paced_guests() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

paced_guests::tally paced_guests::finish() {
  stopping_ = true;
  thread_.join();
  return std::move(sent_);
}

void paced_guests::run() try {
  const guest_sim::stop_signal never;
  std::vector<guest_sim::connection> agents;
  // What a full socket took half of must be ended before anything else.
  std::vector<std::vector<std::uint8_t>> unsent(sockets_.size());
  for (const std::string& socket : sockets_) agents.push_back(guest_sim::connection::open(socket, 10s, never));
  const nanoseconds step = interval_ / static_cast<std::int64_t>(agents.size());
  steady_time due = now();
  for (std::size_t turn = 0; !stopping_; turn = (turn + 1) % agents.size(), due += step) {
    pause(due - now());
    sent_.due.push_back(due);
    std::vector<std::uint8_t>& bytes = unsent[turn];
    const bool behindhand = !bytes.empty();
    if (!behindhand) bytes = frame_of(static_cast<std::uint64_t>(now().time_since_epoch().count()));
    const std::size_t taken = agents[turn].write_some(bytes);
    if (behindhand || taken == 0) ++sent_.not_taken;
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
    if (!behindhand && taken == 0) bytes.clear();
  }
} catch (const std::exception& thrown) {
  sent_.problem = thrown.what();
}

flooding_guest::flooding_guest(std::string socket) : socket_(std::move(socket)), thread_([this] { run(); }) {}

flooding_guest::~flooding_guest() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

std::uint64_t flooding_guest::finish() {
  stopping_ = true;
  thread_.join();
  return frames_;
}

void flooding_guest::run() try {
  constexpr std::uint64_t frames_a_block = 600;
  guest_sim::frame_maker maker{1, wire::content_version_1_0};
  std::vector<std::uint8_t> block;
  for (std::uint64_t i = 0; i < frames_a_block; ++i) {
    const auto bytes = maker.honest().bytes;
    block.insert(block.end(), bytes.begin(), bytes.end());
  }
  const guest_sim::stop_signal never;
  auto connection = guest_sim::connection::open(socket_, 10s, never);
  while (!stopping_) {
    for (std::span<const std::uint8_t> rest{block}; !rest.empty() && !stopping_;) {
      const std::size_t taken = connection.write_some(rest);
      rest = rest.subspan(taken);
      if (taken == 0) connection.wait_writable(now() + 100ms, never);
    }
    frames_ += frames_a_block;
  }
} catch (const std::exception&) {
  frames_ = 0;  // nobody can mistake this for a flood
}

log_observer::log_observer(std::filesystem::path evidence_dir, const std::vector<std::string>& ignored)
    : evidence_dir_(std::move(evidence_dir)), thread_() {
  for (const std::string& cell : ignored) ignored_.push_back("/" + cell + "/");
  thread_ = std::thread{[this] { run(); }};
}

log_observer::~log_observer() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

log_observer::sightings log_observer::finish() {
  stopping_ = true;
  thread_.join();
  return std::move(found_);
}

void log_observer::run() {
  constexpr auto quiet_end = 1s;
  segment_reader reader{evidence_dir_, segment_position{1, 0}};
  steady_time last_line = now();
  while (!stopping_ || now() - last_line < quiet_end) {
    while (const auto line = reader.next()) {
      take(line->text);
      last_line = now();
    }
    if (const auto& failed = reader.failure()) {
      found_.problem = failed->explanation;
      return;
    }
    pause(500us);
  }
}

void log_observer::take(std::string_view line) {
  constexpr std::size_t id_bytes = 128;
  const std::string_view id = line.substr(0, id_bytes);
  for (const std::string& cell : ignored_) {
    if (id.find(cell) == std::string_view::npos) continue;
    ++found_.ignored;
    return;
  }
  const std::string_view sent = behind(line, R"("guestMonotonicNs":")");
  const auto received = parse_timestamp(behind(line, R"("hostReceivedAt":")"));
  if (sent.empty() || !received) return;
  std::int64_t nanos = 0;
  std::from_chars(sent.data(), sent.data() + sent.size(), nanos);
  const nanoseconds since_receipt = std::chrono::system_clock::now() - *received;
  found_.all.push_back({steady_time{nanoseconds{nanos}}, now(), since_receipt});
}

connect_probe::connect_probe(std::vector<std::string> sockets)
    : sockets_(std::move(sockets)), thread_([this] { run(); }) {}

connect_probe::~connect_probe() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

connect_probe::attempts connect_probe::finish() {
  stopping_ = true;
  thread_.join();
  return std::move(made_);
}

void connect_probe::run() {
  constexpr auto between = 3ms;
  for (std::size_t turn = 0; !stopping_; turn = (turn + 1) % sockets_.size()) {
    const steady_time began = now();
    if (!connect_once(sockets_[turn], false)) ++made_.failed;
    made_.all.push_back({began, now() - began});
    pause(between);
  }
}

}  // namespace cellos::bench
